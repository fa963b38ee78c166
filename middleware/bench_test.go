package middleware_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
)

// nullWriter is a ResponseWriter without a cost of its own.
type nullWriter struct{ http.ResponseWriter }

// BenchmarkPassThrough shows what requests pay that are not for us, beside the bare handler.
func BenchmarkPassThrough(b *testing.B) {
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	wrapped := middleware.New(middleware.Options{}).Handler(next)
	other := httptest.NewRequest("GET", "/users", nil)
	same := httptest.NewRequest("GET", "/ws", nil)
	h2c := httptest.NewRequest("GET", "/ws", nil)
	h2c.Header = http.Header{"Connection": {"Upgrade, HTTP2-Settings"}, "Upgrade": {"h2c"}}
	for _, bench := range []struct {
		name string
		h    http.Handler
		r    *http.Request
	}{
		{"bare handler", next, other},
		{"other path", wrapped, other},
		{"same path", wrapped, same},
		{"other upgrade", wrapped, h2c},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			w := &nullWriter{}
			for b.Loop() {
				bench.h.ServeHTTP(w, bench.r)
			}
		})
	}
}

func TestPassThroughAllocatesNothing(t *testing.T) {
	h := middleware.New(middleware.Options{}).Handler(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w := &nullWriter{}
	for _, header := range []http.Header{
		{},
		{"Connection": {"keep-alive"}},
		{"Connection": {"Upgrade, HTTP2-Settings"}, "Upgrade": {"h2c"}},
	} {
		for _, path := range []string{"/users", "/ws"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Header = header
			if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }); n != 0 {
				t.Errorf("GET %s %v: %v allocations", path, header, n)
			}
		}
	}
	for _, header := range []http.Header{{}, {":protocol": {"connect-udp"}}} {
		r := httptest.NewRequest("CONNECT", "/ws", nil)
		r.ProtoMajor, r.Header = 2, header
		if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }); n != 0 {
			t.Errorf("CONNECT /ws %v: %v allocations", header, n)
		}
	}
}

// BenchmarkHandshake connects, shakes hands and hangs up.
func BenchmarkHandshake(b *testing.B) {
	for _, server := range benchmarked() {
		b.Run(server.name, func(b *testing.B) {
			s := httptest.NewServer(server.h)
			defer s.Close()
			b.ReportAllocs()
			for b.Loop() {
				conn, _ := benchConnect(b, s, "")
				_ = conn.Close()
			}
		})
	}
}

type benchServer struct {
	name string
	h    http.Handler
}

func benchmarked() []benchServer {
	return []benchServer{
		{"wsecho", middleware.New(middleware.Options{Compression: true})},
		{"not batched", middleware.New(middleware.Options{
			Compression: true, Handler: middleware.Echo(middleware.Greeting),
		})},
		{"gorilla", http.HandlerFunc(plainLoop)},
	}
}

func benchConnect(b *testing.B, s *httptest.Server, lines string) (net.Conn, *bufio.Reader) {
	b.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	_, _ = io.WriteString(conn, "GET /ws HTTP/1.1\r\n"+handshakeLines+lines+"\r\n")
	r := bufio.NewReaderSize(conn, 1<<16)
	if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 101 {
		b.Fatal(resp, err)
	}
	return conn, r
}

// BenchmarkEcho compares the echo with gorilla's plain loop in the same run: so many messages of
// a size in flight on one connection, the client in the same process.
func BenchmarkEcho(b *testing.B) {
	for _, load := range []struct {
		name           string
		size, inFlight int
		compressed     bool
	}{
		{"128B one in flight", 128, 1, false},
		{"128B 64 in flight", 128, 64, false},
		{"16KiB 16 in flight", 16 << 10, 16, false},
		{"1MiB one in flight", 1 << 20, 1, false},
		{"compressed 256B 64 in flight", 256, 64, true},
		{"compressed 16KiB 16 in flight", 16 << 10, 16, true},
		{"compressed 1MiB one in flight", 1 << 20, 1, true},
	} {
		message := compressible(load.size)
		frame := text(message)
		if load.compressed {
			frame = deflatedFrame(message)
		}
		for _, server := range benchmarked() {
			b.Run(load.name+"/"+server.name, func(b *testing.B) {
				b.SetBytes(int64(load.size))
				benchmarkEcho(b, server.h, frame, load.inFlight, load.compressed)
			})
		}
	}
}

// compressible is n bytes of text with some redundancy.
func compressible(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		_, _ = fmt.Fprintf(&b, "{\"sequence\": %d, \"value\": \"%x\"}\n", i, i*i)
	}
	return b.String()[:n]
}

func deflatedFrame(message string) string {
	return frame(finBit|rsv1Bit|textOp, deflated(message))
}

// plainLoop is the loop that everybody writes first.
func plainLoop(w http.ResponseWriter, r *http.Request) {
	c, err := (&websocket.Upgrader{EnableCompression: true}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	for {
		t, p, err := c.ReadMessage()
		if err != nil {
			return
		}
		if err := c.WriteMessage(t, append([]byte(middleware.Greeting), p...)); err != nil {
			return
		}
	}
}

func benchmarkEcho(b *testing.B, h http.Handler, frame string, inFlight int, compressed bool) {
	s := httptest.NewServer(h)
	defer s.Close()
	offer := ""
	if compressed {
		offer = offerDeflate
	}
	conn, r := benchConnect(b, s, offer)
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, frame)
	answer := int64(messageLength(b, r) * inFlight)
	batch := []byte(strings.Repeat(frame, inFlight))
	b.ReportAllocs()
	b.ResetTimer()
	for range max(1, b.N/inFlight) {
		if _, err := conn.Write(batch); err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, r, answer); err != nil {
			b.Fatal(err)
		}
	}
}

// messageLength reads a message, in however many frames, and returns its length on the wire.
func messageLength(b *testing.B, r *bufio.Reader) int {
	b.Helper()
	for total := 0; ; {
		head, err := r.Peek(2)
		if err != nil {
			b.Fatal(err)
		}
		final, length, extended := head[0]&finBit != 0, int(head[1]), 0
		switch length {
		case 126:
			extended = 2
		case 127:
			extended = 8
		}
		if extended > 0 {
			head, _ = r.Peek(2 + extended)
			length = 0
			for _, digit := range head[2:] {
				length = length<<8 | int(digit)
			}
		}
		n, _ := r.Discard(2 + extended + length)
		if total += n; final {
			return total
		}
	}
}
