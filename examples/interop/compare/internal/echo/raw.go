package echo

import (
	"bufio"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// rawServe is the lower bound: the cost of the replies without a WebSocket library, with one
// goroutine per connection. It trusts its client, parses only the lengths of whole frames, and
// answers the frames of one read with one write.
func rawServe(l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			_ = rawConn(c)
		}()
	}
}

func rawConn(c net.Conn) error {
	if err := rawHandshake(c); err != nil {
		return err
	}
	hello := greeting()
	in := make([]byte, 4096)
	var out []byte
	for filled := 0; ; {
		if filled == len(in) {
			in = append(in, make([]byte, len(in))...)
		}
		n, err := c.Read(in[filled:])
		if err != nil {
			return err
		}
		filled += n
		var used int
		var closing bool
		out, used, closing = rawAnswer(out[:0], in[:filled], hello)
		if used == 0 {
			continue // No frame is complete yet.
		}
		if _, err := c.Write(out); err != nil || closing {
			return err
		}
		filled = copy(in, in[used:filled])
	}
}

// rawHandshake reads a request and treats it as a handshake.
func rawHandshake(c net.Conn) error {
	r, err := http.ReadRequest(bufio.NewReaderSize(c, 1024))
	if err != nil {
		return err
	}
	key := r.Header.Get("Sec-WebSocket-Key")
	if key == "" {
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
		return errors.New("no handshake")
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, err = fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"+
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	return err
}

// rawAnswer appends the replies to the whole frames in p to out. It returns the length of these
// frames and whether the last one was a close frame.
func rawAnswer(out, p, hello []byte) (_ []byte, used int, closing bool) {
	for {
		head, length := rawHead(p[used:])
		if head == 0 || len(p)-used < head+length {
			return out, used, false
		}
		frame := p[used : used+head+length]
		used += len(frame)
		closing = frame[0]&0xf == 8
		prefix := hello
		if closing {
			prefix = nil
		}
		out = rawReplyHead(out, frame[0], len(prefix)+length)
		out = append(out, prefix...)
		out = rawUnmask(out, frame[head:], frame[head-4:head])
		if closing {
			return out, used, true
		}
	}
}

// rawHead returns the lengths of a masked frame's header and payload, or 0 for a partial header.
func rawHead(p []byte) (head, length int) {
	if len(p) < 2 {
		return 0, 0
	}
	head, length = 6, int(p[1]&0x7f)
	switch {
	case length == 126 && len(p) >= 8:
		return 8, int(binary.BigEndian.Uint16(p[2:]))
	case length == 127 && len(p) >= 14:
		return 14, int(binary.BigEndian.Uint64(p[2:]))
	case length >= 126 || len(p) < head:
		return 0, 0
	}
	return head, length
}

func rawReplyHead(out []byte, first byte, length int) []byte {
	switch {
	case length < 126:
		return append(out, first, byte(length))
	case length < 1<<16:
		return binary.BigEndian.AppendUint16(append(out, first, 126), uint16(length))
	}
	return binary.BigEndian.AppendUint64(append(out, first, 127), uint64(length))
}

// rawUnmask appends the unmasked p to out. It repeats the key, so that XORBytes can use vector
// instructions.
func rawUnmask(out, p, key []byte) []byte {
	var block [1024]byte
	mask := block[:min(len(block), len(p)+4)]
	for n := copy(mask, key); n < len(mask); n *= 2 {
		copy(mask[n:], mask[:n])
	}
	for len(p) > len(block) {
		end := len(out)
		out = append(out, p[:len(block)]...)
		subtle.XORBytes(out[end:], out[end:], block[:])
		p = p[len(block):]
	}
	end := len(out)
	out = append(out, p...)
	subtle.XORBytes(out[end:], out[end:], mask[:len(p)])
	return out
}
