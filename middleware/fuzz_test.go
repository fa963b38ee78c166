package middleware_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"
	"unicode/utf8"

	"example.com/wsecho/middleware"
)

// hijackWriter is a ResponseWriter whose connection is conn.
type hijackWriter struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (w *hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(bufio.NewReader(w.conn), bufio.NewWriter(w.conn)), nil
}

// Ways from the client of FuzzConn to its server.
const (
	overPipe   = iota // which has no descriptor
	overSocket        // read by descriptor
	parked            // a socket whose connection is parked as soon as there is nothing to read
	ways
)

// FuzzConn feeds a stream, in pieces, to a whole connection. Whatever comes, the server answers
// with frames that keep the rules, and ends with a close frame unless the stream ended first.
func FuzzConn(f *testing.F) {
	for i, c := range append(append(protocolCases(), deflateCases()...), closeCodeCases()...) {
		if len(c.send) < 1000 {
			f.Add([]byte(c.send), true, uint8(i), uint64(i))
			f.Add([]byte(c.send), false, uint8(i+1), uint64(i))
		}
	}
	l, err := net.Listen("unix", f.TempDir()+"/socket")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = l.Close() })
	f.Fuzz(func(t *testing.T, stream []byte, compression bool, way uint8, seed uint64) {
		way %= ways
		client, server := connectedPair(t, l, way)
		m := middleware.New(middleware.Options{
			Handler: middleware.Batched(plainEcho()), Compression: compression, ReadLimit: 4096,
			CloseTimeout: patience, Detach: way == parked, Logger: textLogger(io.Discard),
		})
		m.SetIdleAfter(1)
		go func() {
			r := handshakeRequest()
			r.Header["Sec-Websocket-Extensions"] = []string{"permessage-deflate"}
			m.ServeHTTP(&hijackWriter{httptest.NewRecorder(), server}, r)
		}()
		_ = client.SetDeadline(time.Now().Add(patience))
		go func() {
			sendInPieces(client, stream, seed)
			// Should the stream have left the server in the middle of something, this ends it.
			_, _ = io.WriteString(client, closing(1000, ""))
			_ = closeWrite(client)
		}()
		if err := checkFrames(bufio.NewReader(client), compression); err != nil {
			t.Error(err)
		}
		_ = client.Close()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := m.Shutdown(ctx); err != nil {
			t.Fatal("the connection does not end")
		}
	})
}

func connectedPair(t *testing.T, l net.Listener, way uint8) (client, server net.Conn) {
	if way == overPipe {
		return net.Pipe()
	}
	client, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// sendInPieces gives the server a chance to run between two pieces.
func sendInPieces(c net.Conn, stream []byte, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0))
	for len(stream) > 0 {
		n := 1 + r.IntN(len(stream))
		if _, err := c.Write(stream[:n]); err != nil {
			return
		}
		stream = stream[n:]
		for range r.IntN(20) {
			runtime.Gosched()
		}
	}
}

// closeWrite ends the stream; a pipe has no half that could be closed alone.
func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
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
