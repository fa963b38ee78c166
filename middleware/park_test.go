package middleware_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

// serveParking starts a server whose connections are parked when they are idle.
func serveParking(t *testing.T, opts middleware.Options) (*httptest.Server, *middleware.Middleware) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("connections are parked on Linux only")
	}
	opts.Detach = true
	opts.Logger = textLogger(io.Discard) // not t.Output(): a connection may end after its test
	ws := middleware.New(opts)
	ws.SetIdleAfter(time.Millisecond)
	return serveHandler(t, ws.Handler(http.NotFoundHandler())), ws
}

// served is how many goroutines serve connections; a parked one has none.
func served() int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "middleware.(*Conn).serve(")
}

func wantServed(t *testing.T, want int) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); runtime.Gosched() {
		if served() == want {
			return
		}
	}
	t.Fatalf("%d connections have a goroutine, want %d", served(), want)
}

func TestParked(t *testing.T) {
	const gone = `closed /ws by us 1006 "" 0/0 middleware: closed with 1006: `
	for _, test := range []struct {
		name string
		opts middleware.Options
		wake func(c *rawClient, ws *middleware.Middleware)
		want string // of the hook Closed
	}{
		{"a message", middleware.Options{}, func(c *rawClient, _ *middleware.Middleware) {
			c.send(text("hi"))
			c.want(reply(0x81, "hi"))
			wantServed(c.t, 0)
			c.send(text("again") + text("and again") + closing(1000, ""))
			c.want(reply(0x81, "again") + reply(0x81, "and again") + closeReply(1000, ""))
			c.WantEnd()
		}, `closed /ws by client 1000 "" 16/16 <nil>`},
		{"a message in pieces", middleware.Options{}, func(c *rawClient, _ *middleware.Middleware) {
			message := text("in pieces")
			c.send(message[:7])
			wantServed(c.t, 1) // Not parked again, since the message has begun.
			c.send(message[7:])
			c.want(reply(0x81, "in pieces"))
			wantServed(c.t, 0)
			c.send(closing(1000, ""))
			c.want(closeReply(1000, ""))
		}, `closed /ws by client 1000 "" 9/9 <nil>`},
		{"a ping", middleware.Options{}, func(c *rawClient, _ *middleware.Middleware) {
			c.send(frame(0x89, "there?") + frame(0x8a, "") + frame(0x89, ""))
			c.want(reply(0x8a, "there?") + reply(0x8a, ""))
			wantServed(c.t, 0)
			c.send(closing(4000, ""))
			c.want(closeReply(4000, ""))
		}, `closed /ws by client 4000 "" 0/0 <nil>`},
		{"a violation", middleware.Options{}, func(c *rawClient, _ *middleware.Middleware) {
			c.send("\x91")
			c.want(closeReply(1002, "reserved bit set"))
			_ = c.Close()
		}, `closed /ws by us 1002 "reserved bit set" 0/0 middleware: closed with 1002 "reserved bit set"`},
		{"the end of the stream", middleware.Options{}, func(c *rawClient, _ *middleware.Middleware) { _ = c.Close() }, gone + "EOF"},
		{"a reset", middleware.Options{}, func(c *rawClient, _ *middleware.Middleware) {
			_ = c.Conn.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}, gone + "read: connection reset by peer"},
		{"a shutdown", middleware.Options{}, func(c *rawClient, ws *middleware.Middleware) {
			go func() { _ = ws.Shutdown(c.t.Context()) }()
			c.want(closeReply(1001, "server is shutting down"))
			c.send(closing(1001, ""))
			c.WantEnd()
		}, `closed /ws by us 1001 "server is shutting down" 0/0 <nil>`},
		{"pings", middleware.Options{PingInterval: 50 * time.Millisecond, PongTimeout: patience}, func(c *rawClient, _ *middleware.Middleware) {
			for range 2 {
				c.want(reply(0x89, ""))
				c.send(frame(0x8a, ""))
				wantServed(c.t, 0)
			}
			c.send(closing(1000, ""))
		}, `closed /ws by client 1000 "" 0/0 <nil>`},
		{"silence", middleware.Options{PingInterval: 30 * time.Millisecond, PongTimeout: 30 * time.Millisecond, CloseTimeout: time.Millisecond}, func(c *rawClient, _ *middleware.Middleware) {
			c.want(reply(0x89, "") + closeReply(1008, "no answer to a ping within 30ms"))
		}, `closed /ws by us 1008 "no answer to a ping within 30ms" 0/0 middleware: closed with 1008 "no answer to a ping within 30ms"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			events := make(events, 16)
			test.opts.Handler = middleware.Batched(plainEcho())
			test.opts.Hooks.Accepted = events.hooks().Accepted
			test.opts.Hooks.Closed = events.hooks().Closed
			s, ws := serveParking(t, test.opts)
			c := connect(t, s)
			events.want(t, "accepted /ws")
			wantServed(t, 0)
			test.wake(c, ws)
			events.want(t, test.want)
		})
	}
}

// What comes in while a connection is about to be parked is not overlooked.
func TestParkingRaces(t *testing.T) {
	s, ws := serveParking(t, middleware.Options{Handler: middleware.Batched(plainEcho())})
	var clients sync.WaitGroup
	for i := range 100 {
		c := connect(t, s)
		clients.Go(func() {
			pace := time.NewTicker(time.Millisecond + time.Duration(i-50)*time.Microsecond*10)
			defer pace.Stop()
			for range 50 {
				<-pace.C
				c.send(text("x"))
				if first, payload := c.frame(); first != 0x81 || payload != "x" {
					t.Errorf("got %#x %q", first, payload)
				}
			}
			c.send(closing(1000, ""))
			if first, _ := c.frame(); first != 0x88 {
				t.Errorf("got %#x, want a close frame", first)
			}
		})
	}
	clients.Wait()
	if err := ws.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestParkingRacesWithShutdown(t *testing.T) {
	for i := range 20 {
		s, ws := serveParking(t, middleware.Options{Handler: middleware.Batched(plainEcho())})
		var clients []*rawClient
		for range 20 {
			clients = append(clients, connect(t, s))
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		done := make(chan error, 1)
		time.AfterFunc(time.Duration(i)*200*time.Microsecond, func() { done <- ws.Shutdown(ctx) })
		for _, c := range clients {
			c.want(closeReply(1001, "server is shutting down"))
			_ = c.Close()
		}
		if err := <-done; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	}
}
