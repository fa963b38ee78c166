//go:build linux

package load

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
)

// raw returns an unmasked frame, as a server sends it.
func raw(first byte, payload string) []byte {
	return append([]byte{first, byte(len(payload))}, payload...)
}

func TestScript(t *testing.T) {
	s := newScript(Traffic{Window: 2, Size: 16})
	if len(s.replies) != 4 {
		t.Fatalf("%d messages, want 4", len(s.replies))
	}
	for i, reply := range s.replies {
		want := middleware.Greeting + "0000000" + string(rune('0'+i)) + `,{"id":`
		if !strings.HasPrefix(string(reply), want) || len(reply) != len(middleware.Greeting)+16 {
			t.Errorf("reply %d is %q", i, reply)
		}
	}
	const frame = 2 + 4 + 16
	if len(s.frames) != 6*frame {
		t.Errorf("%d bytes of frames, want those of 6", len(s.frames))
	}
	if !bytes.Equal(s.run(3, 2), append(bytes.Clone(s.run(3, 1)), s.run(0, 1)...)) {
		t.Error("the first frame does not follow the last one")
	}
	first := s.run(0, 1)
	if first[0] != 0x81 || first[1] != 0x80|16 {
		t.Errorf("the first frame begins with % x", first[:2])
	}
	for i, c := range first[6:] {
		if got, want := c^first[2+i&3], s.replies[0][len(middleware.Greeting)+i]; got != want {
			t.Errorf("byte %d of the first frame is %q, want %q", i, got, want)
		}
	}
}

// The checker detects every kind of wrong reply, and accepts right ones.
func TestChecker(t *testing.T) {
	const size = 16
	s := newScript(Traffic{Window: 2, Size: size})
	one, two := string(s.replies[0]), string(s.replies[1])
	swapped := one[:len(one)-1] + "!"
	join := func(frames ...[]byte) []byte { return bytes.Join(frames, nil) }
	for _, tt := range []struct {
		name    string
		in      []byte
		replies uint64
		want    string // of the error
	}{
		{"right", join(raw(0x81, one), raw(0x81, two)), 2, ""},
		{"in fragments", join(raw(0x01, one[:9]), raw(0x00, ""), raw(0x80, one[9:])), 1, ""},
		{"with a ping inside", join(raw(0x01, one[:9]), raw(0x89, "?"), raw(0x80, one[9:])), 1, ""},
		{"type", raw(0x82, one), 0, "opcode 2, want 1"},
		{"masked", append([]byte{0x81, 0x80}, one...), 0, "a masked frame"},
		{"short", raw(0x81, one[:size]), 0, "16 bytes, want 49"},
		{"empty", raw(0x81, ""), 0, "0 bytes, want 49"},
		{"long", raw(0x81, one+"!"), 0, "50 bytes or more, want 49"},
		{"long in fragments", join(raw(0x01, one), raw(0x80, "!")), 0, "50 bytes or more, want 49"},
		{"order", join(raw(0x81, two), raw(0x81, one)), 0, `differs at byte 40, where "1`},
		{"twice", join(raw(0x81, one), raw(0x81, one)), 1, `differs at byte 40, where "0`},
		{"content", raw(0x81, swapped), 0, `differs at byte 48, where "!" came`},
		{"no greeting", raw(0x81, one[33:]), 0, `differs at byte 0, where "0`},
		{"compressed", raw(0xc1, one), 0, "compressed, which was not agreed on"},
		{"no beginning", raw(0x80, one), 0, "a continuation of nothing"},
		{"no end", join(raw(0x01, one), raw(0x81, one)), 0, "a new message before the last one"},
		{"close", raw(0x88, "\x03\xf1too big"), 0, `close 1009 "too big"`},
		{"bare close", raw(0x88, ""), 0, "close without a code"},
		{"fragmented ping", raw(0x09, ""), 0, "a malformed control frame"},
	} {
		for _, step := range []int{1, 7, len(tt.in)} {
			c := newChecker(s, 0)
			var err error
			for in := tt.in; len(in) > 0 && err == nil; in = in[min(step, len(in)):] {
				err = c.feed(in[:min(step, len(in))])
			}
			wantError(t, tt.name, err, tt.want)
			if c.replies != tt.replies {
				t.Errorf("%s: %d replies, want %d", tt.name, c.replies, tt.replies)
			}
		}
	}
}

func wantError(t *testing.T, name string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: got %v, want %q", name, err, want)
	}
}

// Both ends of long replies are always compared, the middle in one of eight.
func TestCheckerSamples(t *testing.T) {
	for _, tt := range []struct {
		at   int // the byte that is wrong
		want uint64
	}{{33, 1}, {20000, 8}, {65568, 1}} {
		s := newScript(Traffic{Window: 1, Size: 64 << 10})
		c := newChecker(s, 0)
		for {
			reply := bytes.Clone(s.replies[c.next])
			if c.replies > 0 {
				reply[tt.at] ^= 1
			}
			head := []byte{0x81, 127, 0, 0, 0, 0, 0, 1, 0, 33}
			if err := c.feed(append(head, reply...)); err != nil {
				break
			}
			if c.replies > 100 {
				t.Fatalf("byte %d was not detected", tt.at)
			}
		}
		if c.replies != tt.want {
			t.Errorf("byte %d was detected after %d replies, want %d", tt.at, c.replies, tt.want)
		}
	}
}

func TestCheckerInflates(t *testing.T) {
	s := newScript(Traffic{Window: 1, Size: 80, Deflate: true})
	packed := func(p []byte) []byte { return raw(0xc1, string(deflated(p))) }
	one, two := s.replies[0], s.replies[1]
	c := newChecker(s, 0)
	for _, p := range [][]byte{packed(one), packed(two), raw(0x81, string(one)), packed(two), packed(one)} {
		if err := c.feed(p); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, "order", c.feed(packed(one)), "differs at byte 40")
	wantError(t, "long", newChecker(s, 0).feed(packed(append(one, '!'))), "114 bytes when inflated, want 113")
	wantError(t, "corrupt", newChecker(s, 0).feed(raw(0xc1, "\xff\xff")), "inflating:")
}

// server replies to each message with answer(message).
func server(t *testing.T, answer func([]byte) []byte) (addr string) {
	t.Helper()
	upgrader := websocket.Upgrader{EnableCompression: true}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			messageType, p, err := c.ReadMessage()
			if err != nil || c.WriteMessage(messageType, answer(p)) != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func greet(p []byte) []byte { return append([]byte(middleware.Greeting), p...) }

func TestSession(t *testing.T) {
	addr := server(t, greet)
	for _, traffic := range []Traffic{
		{Conns: 3, Window: 5, Size: 128},
		{Conns: 3, Window: 2, Size: 200 << 10, Binary: true},
		{Conns: 2, Window: 4, Size: 4 << 10, Deflate: true},
	} {
		s, err := Open(addr, traffic)
		if err != nil {
			t.Fatal(err)
		}
		wantReplies(t, s.Counts, 50)
		s.Close()
	}
}

// wantReplies waits until that many have been received.
func wantReplies(t *testing.T, counts func() (Counts, error), want uint64) {
	t.Helper()
	for deadline := time.Now().Add(timeout); ; time.Sleep(time.Millisecond) {
		c, err := counts()
		if err != nil {
			t.Fatal(err)
		}
		if c.Replies >= want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d replies, want %d", c.Replies, want)
		}
	}
}

func TestSessionFindsOut(t *testing.T) {
	n := 0
	s, err := Open(server(t, func(p []byte) []byte {
		if n++; n == 20 {
			return p
		}
		return greet(p)
	}), Traffic{Conns: 1, Window: 4, Size: 128})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, err := s.Counts(); err != nil {
			wantError(t, "no greeting", err, "reply 20 on a connection: differs at byte 0")
			return
		}
	}
	t.Error("the wrong reply was not detected")
}

func TestOpenAndClose(t *testing.T) {
	h, err := OpenAndClose(server(t, greet), 4)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	wantReplies(t, h.Counts, 50)
}

func TestIdle(t *testing.T) {
	idle, err := OpenIdle(server(t, greet), 20, 128)
	if err != nil {
		t.Fatal(err)
	}
	idle.Close()
	_, err = OpenIdle(server(t, bytes.ToUpper), 20, 128)
	wantError(t, "wrong", err, "connection 1: reply 1 on a connection: differs at byte 0")
}

func TestHandshakeIsChecked(t *testing.T) {
	const good = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + accept + "\r\n"
	for _, tt := range []struct{ name, answer, want string }{
		{"status", "HTTP/1.1 404 Not Found\r\n\r\n", `answer "HTTP/1.1 404 Not Found"`},
		{"key", "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: x\r\n\r\n", "has not accepted the key"},
		{"early", good + "\r\n\x81\x00", "unexpected data after the answer"},
		{"deflate", good + "\r\n", "permessage-deflate was not agreed on"},
		{"end", good, "EOF"},
		{"long", good + strings.Repeat("X: y\r\n", 200), "the answer is too long"},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer l.Close()
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			_, _ = c.Read(make([]byte, 1024))
			_, _ = io.WriteString(c, tt.answer)
		}()
		_, err = Open(l.Addr().String(), Traffic{Conns: 1, Window: 1, Size: 16, Deflate: true})
		wantError(t, tt.name, err, tt.want)
	}
}

func TestOnlyLoopback(t *testing.T) {
	for _, addr := range []string{"192.0.2.1:80", "localhost:80", "127.0.0.1", "[::1]:80"} {
		_, err := newDialer(addr, false)
		wantError(t, addr, err, "must be a port of a loopback address of IPv4")
	}
}

func TestDroppedConnections(t *testing.T) {
	h := &Handshakes{}
	for range 10 {
		if err := h.count(true, errDropped); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.count(true, errDropped); err == nil {
		t.Error("11 dropped of 11: no error")
	}
	h.done.Store(1000)
	if err := h.count(true, errDropped); err != nil {
		t.Errorf("12 of 1000: %v", err)
	}
	if c, err := h.Counts(); c.Dropped != 12 || c.Replies != 1000 || err != nil {
		t.Errorf("got %+v, %v", c, err)
	}
}
