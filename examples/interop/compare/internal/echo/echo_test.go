package echo

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

const timeout = 10 * time.Second

// All servers send the same replies, byte for byte.
func TestServers(t *testing.T) {
	for _, s := range Servers() {
		t.Run(s.Name, func(t *testing.T) {
			if raceEnabled && s.Name == "nbio" {
				t.Skip("its engine has data races")
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			go s.Serve(l) // It serves until the process ends, like nbio's engine.
			c, r := dial(t, l.Addr().String())
			for _, first := range []byte{0x81, 0x82} {
				for _, size := range []int{0, 1, 92, 93, 128, 4096, 65502, 65503, 1 << 20, 2 << 20} {
					if size == 0 && s.Module == nbioModule {
						continue // It does not answer empty messages.
					}
					message := strings.Repeat("wsecho ", size/7+1)[:size]
					send(t, c, first, message)
					wantReply(t, r, first, middleware.Greeting+message)
				}
			}
			for _, message := range []string{"one", "two", "three"} {
				send(t, c, 0x81, message)
			}
			for _, message := range []string{"one", "two", "three"} {
				wantReply(t, r, 0x81, middleware.Greeting+message)
			}
			send(t, c, 0x88, "\x03\xe8")
			wantReply(t, r, 0x88, "\x03\xe8")
			if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
				t.Errorf("after the close frame: %q, %v; want EOF", rest, err)
			}
		})
	}
}

func TestFind(t *testing.T) {
	if s, err := Find("gws"); err != nil || s.Name != "gws" {
		t.Errorf("got %q, %v", s.Name, err)
	}
	if _, err := Find("socket.io"); err == nil {
		t.Error("found an unknown server")
	}
}

// dial performs an opening handshake.
func dial(t *testing.T, addr string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, timeout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(timeout))
	_, err = io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
	if got := resp.Header.Get("Sec-WebSocket-Accept"); resp.StatusCode != 101 || got != want {
		t.Fatalf("got %s with %q, want 101 with %q", resp.Status, got, want)
	}
	return c, r
}

// send sends a frame, masked with a key of four different bytes.
func send(t *testing.T, w io.Writer, first byte, payload string) {
	t.Helper()
	p := []byte{first}
	switch n := len(payload); {
	case n < 126:
		p = append(p, 0x80|byte(n))
	case n < 1<<16:
		p = binary.BigEndian.AppendUint16(append(p, 0x80|126), uint16(n))
	default:
		p = binary.BigEndian.AppendUint64(append(p, 0x80|127), uint64(n))
	}
	key := [4]byte{0x12, 0x34, 0x56, 0x78}
	p = append(p, key[:]...)
	for i := range len(payload) {
		p = append(p, payload[i]^key[i%4])
	}
	if _, err := w.Write(p); err != nil {
		t.Fatal(err)
	}
}

// wantReply reads one message, which nbio fragments.
func wantReply(t *testing.T, r io.Reader, first byte, want string) {
	t.Helper()
	var got bytes.Buffer
	for opcode := first & 0xf; ; opcode = 0 {
		var head [10]byte
		read(t, r, head[:2])
		length := int(head[1])
		switch length {
		case 126:
			read(t, r, head[2:4])
			length = int(binary.BigEndian.Uint16(head[2:]))
		case 127:
			read(t, r, head[2:])
			length = int(binary.BigEndian.Uint64(head[2:]))
		}
		if head[0]&^0x80 != opcode {
			t.Fatalf("a frame begins with %#x, want opcode %d", head[0], opcode)
		}
		if _, err := io.CopyN(&got, r, int64(length)); err != nil {
			t.Fatal(err)
		}
		if head[0]&0x80 != 0 {
			break
		}
	}
	if got.String() != want {
		t.Fatalf("got %d bytes, %.60q; want %d, %.60q", got.Len(), got.Bytes(), len(want), want)
	}
}

func read(t *testing.T, r io.Reader, p []byte) {
	t.Helper()
	if _, err := io.ReadFull(r, p); err != nil {
		t.Fatal(err)
	}
}
