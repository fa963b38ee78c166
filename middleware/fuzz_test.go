package middleware_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"time"
	"unicode/utf8"

	"example.com/wsecho/middleware"
)

// pipeWriter is a ResponseWriter whose connection is one end of a net.Pipe.
type pipeWriter struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (w *pipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(bufio.NewReader(w.conn), bufio.NewWriter(w.conn)), nil
}

// FuzzConn feeds a stream to a whole connection. Whatever comes, the server answers with frames
// that keep the rules, and ends with a close frame unless the stream ended first.
func FuzzConn(f *testing.F) {
	for _, c := range append(append(protocolCases(), deflateCases()...), closeCodeCases()...) {
		if len(c.send) < 1000 {
			f.Add([]byte(c.send), true)
			f.Add([]byte(c.send), false)
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte, compression bool) {
		m := middleware.New(middleware.Options{
			Handler: middleware.Batched(plainEcho()), Compression: compression, ReadLimit: 4096,
			CloseTimeout: patience, Logger: textLogger(io.Discard),
		})
		client, server := net.Pipe()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r := handshakeRequest()
			r.Header["Sec-Websocket-Extensions"] = []string{"permessage-deflate"}
			m.ServeHTTP(&pipeWriter{httptest.NewRecorder(), server}, r)
		}()
		_ = client.SetDeadline(time.Now().Add(patience))
		go func() {
			_, _ = client.Write(stream)
			// Should the stream have left the server in the middle of something, this ends it.
			_, _ = client.Write([]byte(closing(1000, "")))
			_ = client.Close()
		}()
		if err := checkFrames(bufio.NewReader(client), compression); err != nil {
			t.Error(err)
		}
		_ = client.Close()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Fatal("the connection does not end")
		}
	})
}

// checkFrames reads what a server sends until it ends.
func checkFrames(r *bufio.Reader, compression bool) error {
	for {
		var head [2]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil // The writer of the stream hangs up when it is done.
		}
		length := uint64(head[1])
		switch length {
		case 126:
			var b [2]byte
			_, _ = io.ReadFull(r, b[:])
			if length = uint64(binary.BigEndian.Uint16(b[:])); length < 126 {
				return fmt.Errorf("length %d in 16 bits", length)
			}
		case 127:
			return errors.New("a reply larger than any message")
		}
		payload := make([]byte, length)
		if _, err := io.ReadFull(r, payload); err != nil {
			return nil
		}
		switch opcode := head[0] &^ rsv1Bit; {
		case head[0]&rsv1Bit != 0 && !compression:
			return fmt.Errorf("frame %#x without an extension", head[0])
		case opcode == finBit|textOp && head[0]&rsv1Bit == 0 && !utf8.Valid(payload):
			return fmt.Errorf("text %q", payload)
		case opcode == finBit|textOp, opcode == finBit|binOp, opcode == finBit|pongOp:
		case opcode == finBit|closeOp:
			return checkClose(payload, r)
		default:
			return fmt.Errorf("frame %#x", head[0])
		}
	}
}

func checkClose(payload []byte, r io.Reader) error {
	if len(payload) == 1 || len(payload) > 125 {
		return fmt.Errorf("close payload %q", payload)
	}
	if len(payload) > 1 {
		code := binary.BigEndian.Uint16(payload)
		if code < 1000 || code >= 1004 && code <= 1006 || code >= 1015 && code < 3000 || code > 4999 {
			return fmt.Errorf("close code %d", code)
		}
	}
	if rest, _ := io.ReadAll(r); len(rest) > 0 {
		return fmt.Errorf("%q behind the close frame", rest)
	}
	return nil
}
