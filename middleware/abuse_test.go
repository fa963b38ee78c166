package middleware_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

// attack is what one bad client does; it returns when it is done or cut.
type attack struct {
	name   string
	times  int // in all
	attack func(c net.Conn, n int)
}

func attacks() []attack {
	request := "GET /ws HTTP/1.1\r\n" + handshakeLines + offerDeflate + "\r\n"
	bomb := frame(finBit|rsv1Bit|binOp, zeroes(64<<20))
	// send writes all of it, and reads whatever comes until the server ends the connection.
	send := func(payload func(n int) string) func(net.Conn, int) {
		return func(c net.Conn, n int) {
			go func() {
				_, _ = io.WriteString(c, request+payload(n))
				_ = c.(*net.TCPConn).CloseWrite()
			}()
			_, _ = io.Copy(io.Discard, c)
		}
	}
	same := func(s string) func(net.Conn, int) { return send(func(int) string { return s }) }
	stages := request + text("hello") + header(0x81, 1000) + masked("part of") + closing(1000, "")
	return []attack{
		{"connect and close", 5000, func(net.Conn, int) {}},
		{"reset at any stage", 500, func(c net.Conn, n int) {
			_, _ = io.WriteString(c, stages[:n%len(stages)])
			_ = c.(*net.TCPConn).SetLinger(0)
		}},
		{"ping flood", 8, same(strings.Repeat(frame(0x89, "ping"), 20000))},
		{"tiny messages", 8, same(strings.Repeat(text(""), 20000))},
		{"one-byte fragments", 8, same(frame(0x01, "a") + strings.Repeat(frame(0x00, "b"), 20000))},
		{"empty fragments", 20, same(frame(0x01, "a") + strings.Repeat(frame(0x00, ""), 50000))},
		{"bomb", 20, same(bomb)},
		{"final blocks", 8, same(frame(finBit|rsv1Bit|binOp, strings.Repeat("\x03\x00", 500_000)))},
		{"claim of 2^62 bytes", 20, same("\x82\xff\x40\x00\x00\x00\x00\x00\x00\x00")},
		{"noise", 200, send(func(n int) string { return randomBytes(uint64(n)) })},
	}
}

// zeroes is n zero bytes, compressed.
func zeroes(n int) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = w.Write(make([]byte, n))
	_ = w.Flush()
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
}

func randomBytes(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, r.IntN(4096))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// While bad clients do their worst, a good one is answered; afterwards everything they used is
// free again.
func TestAbuse(t *testing.T) {
	s := serve(t, middleware.Options{
		Handler: middleware.Batched(plainEcho()), Compression: true, WriteTimeout: time.Second, CloseTimeout: time.Second,
	})
	connect(t, s) // what the first connection sets up is not counted
	before := takeStock()
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			good := connect(t, s)
			var bad sync.WaitGroup
			for worker := range 4 {
				bad.Go(func() {
					for n := worker; n < a.times; n += 4 {
						attackOnce(t, s, a, n)
					}
				})
			}
			for range 20 {
				_ = good.SetDeadline(time.Now().Add(patience))
				good.send(text("still there?"))
				good.want(reply(0x81, "still there?"))
			}
			bad.Wait()
			good.send(closing(1000, ""))
			good.want(closeReply(1000, ""))
			_ = good.Close()
		})
	}
	before.wantBack(t)
}

// A handshake as large as net/http lets through is answered in time that grows with its size, not
// with the square of it.
func TestLargeHandshake(t *testing.T) {
	s := serve(t, middleware.Options{Compression: true})
	var offers, params strings.Builder
	for i := range 120_000 {
		_, _ = fmt.Fprintf(&offers, "%x,", i)
		_, _ = fmt.Fprintf(&params, ";%x", i)
	}
	for name, line := range map[string]string{
		"subprotocols": "Sec-WebSocket-Protocol: " + offers.String(),
		"extensions":   "Sec-WebSocket-Extensions: " + offers.String(),
		"parameters":   "Sec-WebSocket-Extensions: permessage-deflate" + params.String(),
		"tokens":       "Connection: " + offers.String(),
	} {
		t.Run(name, func(t *testing.T) { connect(t, s, line+"\r\n") })
	}
}

func attackOnce(t *testing.T, s *httptest.Server, a attack, n int) {
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Error(err)
		return
	}
	_ = c.SetDeadline(time.Now().Add(3 * patience))
	a.attack(c, n)
	_ = c.Close()
}

// stock is what a server could run out of.
type stock struct {
	goroutines, descriptors int
	heap                    uint64
}

func takeStock() stock {
	runtime.GC()
	runtime.GC() // Pools keep for one collection what is free.
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	descriptors, _ := os.ReadDir("/proc/self/fd") // nil elsewhere than on Linux
	return stock{runtime.NumGoroutine(), len(descriptors), m.HeapAlloc}
}

// wantBack waits until no more is in use than before, but for a little heap that pools keep.
func (before stock) wantBack(t *testing.T) {
	t.Helper()
	const slack = 8 << 20
	var now stock
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); runtime.Gosched() {
		now = takeStock()
		if now.goroutines <= before.goroutines && now.descriptors <= before.descriptors &&
			now.heap <= before.heap+slack {
			return
		}
	}
	t.Errorf("in use before: %+v, after: %+v", before, now)
}

// A client that sends and does not read costs a bounded amount of memory, which the README
// states: with messages at the ReadLimit, about two times that.
func TestMemoryOfDeafClients(t *testing.T) {
	const clients, limit = 5, 1 << 20
	s := serve(t, middleware.Options{ReadLimit: limit, WriteTimeout: -1})
	before := takeStock()
	message := frame(0x82, strings.Repeat("x", limit))
	var stuck sync.WaitGroup
	for range clients {
		c := connect(t, s)
		// The kernels' buffers take what they like, up to tcp_rmem, before the server waits.
		_ = c.Conn.(*net.TCPConn).SetReadBuffer(limit)
		stuck.Go(func() { sendUntilStuck(t, c, message) })
	}
	stuck.Wait()
	perClient := (takeStock().heap - before.heap) / clients
	t.Logf("%d bytes of heap per client", perClient)
	if perClient > 3*limit {
		t.Errorf("%d bytes of heap per client, want at most %d", perClient, 3*limit)
	}
}

// sendUntilStuck returns when nothing has been taken for a second.
func sendUntilStuck(t *testing.T, c net.Conn, message string) {
	for range 1000 {
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := io.WriteString(c, message); err != nil {
			return
		}
	}
	t.Error("the server goes on reading from a client that does not read")
}
