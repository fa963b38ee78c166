package middleware_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

// asPanics is an error that cannot be looked at.
type asPanics struct{}

func (asPanics) Error() string { panic("oh") }
func (asPanics) As(any) bool   { panic("oh") }

// No panic of the user's code ends the process, whatever goroutine it is on. The connection ends
// with 1011, and its slot is free again.
func TestUserPanics(t *testing.T) {
	received := middleware.Hooks{Received: func(*middleware.Conn, middleware.MessageType, int64) { panic("oh") }}
	sent := middleware.Hooks{Sent: func(*middleware.Conn, middleware.MessageType, int64) { panic("oh") }}
	closed := middleware.Hooks{Closed: func(*middleware.Conn, middleware.CloseInfo) { runtime.Goexit() }}
	returns := func(err error) middleware.Handler {
		return middleware.MessageFunc(func(io.Writer, *middleware.Message) error { return err })
	}
	elsewhere := middleware.HandlerFunc(func(ctx context.Context, c *middleware.Conn) error {
		go func() { _ = c.Discard() }()
		<-ctx.Done()
		return nil
	})
	pushes := middleware.HandlerFunc(func(ctx context.Context, c *middleware.Conn) error {
		go func() { _ = c.WriteMessage(middleware.TextMessage, []byte("pushed")) }()
		<-ctx.Done()
		return nil
	})
	var typedNil *middleware.CloseError
	internal := closeReply(1011, "internal server error")
	for _, test := range []struct {
		name    string
		handler middleware.Handler
		hooks   middleware.Hooks
		want    string
	}{
		{"typed nil", returns(typedNil), middleware.Hooks{}, internal},
		{"error that panics", returns(asPanics{}), middleware.Hooks{}, internal},
		{"Received, more to discard", plainEcho(), received, internal},
		{"Received in another goroutine", elsewhere, received, internal},
		{"Sent in another goroutine", pushes, sent, reply(0x81, "pushed") + internal},
		{"Closed exits", returns(io.EOF), closed, internal},
	} {
		for _, detach := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				ws := middleware.New(middleware.Options{
					Handler: test.handler, Hooks: test.hooks, Detach: detach, MaxConns: 1,
					Logger: textLogger(io.Discard),
				})
				s := serveHandler(t, ws)
				for range 2 {
					c := connectWhenFree(t, s)
					c.send(text("a") + text("b") + text("c"))
					c.want(test.want)
					c.send(closing(1011, ""))
					c.WantEnd()
					_ = c.Close()
				}
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				if err := ws.Shutdown(ctx); err != nil {
					t.Errorf("Shutdown: %v", err)
				}
			})
		}
	}
}

// A slow client that takes what it is sent is not cut by a ping during a large write.
func TestPingDuringLargeWrite(t *testing.T) {
	const size, step = 2 << 20, 64 << 10
	push := middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
		if err := c.WriteMessage(middleware.BinaryMessage, make([]byte, size)); err != nil {
			return err
		}
		return c.Discard()
	})
	inBubble(t, middleware.Options{Handler: push}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		c.want("\x82\x7f\x00\x00\x00\x00\x00\x20\x00\x00")
		began := time.Now()
		for range size / step {
			time.Sleep(2 * time.Second)
			c.read(step)
		}
		if took := time.Since(began); took < time.Minute {
			t.Errorf("took %v, less than two pings", took)
		}
		c.want(reply(0x89, "")) // which has waited for its turn
		c.send(frame(0x8a, "") + closing(1000, ""))
		c.want(closeReply(1000, ""))
	})
}

// A ping that is behind a backlog cannot be answered before the backlog has been read.
func TestPingBehindBacklog(t *testing.T) {
	const size = 3 << 20
	push := middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
		if err := c.WriteMessage(middleware.BinaryMessage, make([]byte, size)); err != nil {
			return err
		}
		return c.Discard()
	})
	inBubble(t, middleware.Options{Handler: push}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		// A proxy takes everything at once, and hands it on at 50 kB a second.
		backlog := make(chan []byte, 1000)
		go func() {
			defer close(backlog)
			for {
				p := make([]byte, 50_000)
				n, err := c.Read(p)
				backlog <- p[:n]
				if err != nil {
					return
				}
			}
		}()
		time.Sleep(29 * time.Second)
		got := 0
		for got < size {
			n := len(<-backlog)
			time.Sleep(time.Duration(n) * time.Second / 50_000)
			got += n
		}

		c.send(frame(0x8a, "") + closing(1000, ""))
		var last []byte
		for p := range backlog {
			last = append(last, p...)
		}
		if !strings.HasSuffix(string(last), closeReply(1000, "")) {
			t.Errorf("ends with %q", last)
		}
	})
}

// Reading does not wait for writing, where the handler reads and writes in two goroutines.
func TestFullDuplex(t *testing.T) {
	const messages, size = 32, 1 << 20
	duplex := middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
		written := make(chan error, 1)
		go func() { written <- c.WriteMessage(middleware.BinaryMessage, make([]byte, size)) }()
		for range messages {
			if _, _, err := c.ReadMessage(); err != nil {
				return err
			}
		}
		return <-written
	})
	inBubble(t, middleware.Options{Handler: duplex, WriteTimeout: -1}, func(_ *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		// Before the writer has begun, the reader would send the first pong itself.
		c.want("\x82\x7f\x00\x00\x00\x00\x00\x10\x00\x00")
		for range messages {
			c.send(frame(0x89, "ping") + frame(0x82, strings.Repeat("x", size)))
		}
		c.want(strings.Repeat("\x00", size))
		c.want(reply(0x8a, "ping") + closeReply(1000, "")) // the last of the pongs
	})
}

// A message that trickles is not waited for for ever.
func TestReadTimeout(t *testing.T) {
	for _, test := range []struct {
		name    string
		timeout time.Duration
		first   string
		pause   time.Duration
		after   time.Duration // 0 if it is answered in the end
		reason  string
	}{
		{"one byte in 39 s", 0, text("slow"), 39 * time.Second, time.Minute, "message slower than 256 KiB in 1m0s"},
		{"in time", 0, text("slow"), 5 * time.Second, 0, ""},
		{"shorter", time.Second, text("slow"), 300 * time.Millisecond, time.Second, "message slower than 256 KiB in 1s"},
		{"no limit", -1, text("slow"), time.Hour, 0, ""},
		{"handler's time does not count", time.Second, text("wait") + text("slow")[:7], 50 * time.Millisecond, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, middleware.Options{
				Handler: middleware.MessageFunc(func(w io.Writer, m *middleware.Message) error {
					if string(m.Data) == "wait" {
						time.Sleep(time.Minute)
						return nil
					}
					return middleware.Echo("")(w, m)
				}),
				ReadTimeout: test.timeout, PingInterval: -1,
			}, func(t *testing.T, dial func() *rawClient) {
				c := dial().shakeHands()
				began := time.Now()
				go func() {
					rest := test.first
					if strings.HasPrefix(rest, text("wait")) {
						_, _ = io.WriteString(c.Conn, rest)
						rest = text("slow")[7:]
					}
					for _, b := range []byte(rest) {
						if _, err := c.Conn.Write([]byte{b}); err != nil {
							return
						}
						time.Sleep(test.pause)
					}
				}()
				if test.after == 0 {
					c.want(reply(0x81, "slow"))
					_ = c.Close()
				} else {
					c.want(closeReply(1008, test.reason))
					if got := time.Since(began); got != test.after {
						t.Errorf("after %v, want %v", got, test.after)
					}
					_ = c.Close()
				}
				time.Sleep(48 * time.Hour) // until the writer has ended
			})
		})
	}
}

// What a handler is told of a client that does not read is the timeout, not what followed from it.
func TestWriteTimeoutInCloseInfo(t *testing.T) {
	infos := make(chan middleware.CloseInfo, 1)
	s := serve(t, middleware.Options{
		WriteTimeout: 50 * time.Millisecond, ReadLimit: 8 << 20,
		Hooks: middleware.Hooks{Closed: func(_ *middleware.Conn, info middleware.CloseInfo) { infos <- info }},
		Handler: middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
			for {
				if err := c.WriteMessage(middleware.BinaryMessage, make([]byte, 1<<20)); err != nil {
					return err
				}
			}
		}),
	})
	connect(t, s)
	info := <-infos
	var timeout net.Error
	if info.Code != 1006 || !errors.As(info.Err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %d, %v; want 1006 and a timeout", info.Code, info.Err)
	}
}

// A writer that is used after its function has returned does not reach another connection.
func TestReplyWrittenLate(t *testing.T) {
	writers := make(chan io.Writer, 1)
	s := serve(t, middleware.Options{
		Handler: middleware.MessageFunc(func(w io.Writer, m *middleware.Message) error {
			if string(m.Data) == "keep" {
				writers <- w
			}
			_, err := w.Write(m.Data)
			return err
		}),
	})
	c := connect(t, s)
	c.send(text("keep"))
	c.want(reply(0x81, "keep"))
	c.send(frame(0x89, "")) // whose pong comes when the function has returned
	c.want(reply(0x8a, ""))
	w := <-writers
	if _, err := w.Write([]byte("late")); err == nil {
		t.Error("Write returned no error")
	}
	if _, err := io.WriteString(w, "late"); err == nil {
		t.Error("WriteString returned no error")
	}
	c.send(text("next"))
	c.want(reply(0x81, "next"))
}

// A goroutine that writes while its function returns writes to that reply or to none.
func TestReplyWrittenConcurrently(t *testing.T) {
	writing, done := make(chan struct{}), make(chan struct{})
	s := serve(t, middleware.Options{
		Handler: middleware.MessageFunc(func(w io.Writer, m *middleware.Message) error {
			if string(m.Data) != "leak" {
				_, err := w.Write(m.Data)
				return err
			}
			go func() {
				writing <- struct{}{}
				for err := error(nil); err == nil; {
					_, err = io.WriteString(w, "leak")
				}
				done <- struct{}{}
			}()
			<-writing
			return nil
		}),
	})
	for range 50 {
		leaking, other := connect(t, s), connect(t, s)
		leaking.send(text("leak"))
		<-done
		for range 20 {
			other.send(text("other"))
			other.want(reply(0x81, "other"))
		}
		_ = leaking.Close()
		_ = other.Close()
	}
}

// A violation in the answer to our close frame is not told as what we have closed with.
func TestMalformedAnswerToClose(t *testing.T) {
	var log syncBuffer
	ended := make(chan struct{})
	ws := middleware.New(middleware.Options{
		Logger: textLogger(&log),
		Hooks:  middleware.Hooks{Closed: func(*middleware.Conn, middleware.CloseInfo) { close(ended) }},
		Handler: middleware.HandlerFunc(func(context.Context, *middleware.Conn) error {
			return &middleware.CloseError{Code: 1001}
		}),
	})
	s := serveHandler(t, ws)
	c := connect(t, s)
	c.want(closeReply(1001, ""))
	c.send(frame(0x88, "\x03"))
	c.WantEnd()
	_ = c.Close()
	<-ended
	if got := log.String(); strings.Contains(got, "1002") || !strings.Contains(got, "code=1001") {
		t.Errorf("logged %s", got)
	}
}

// A parked connection that the application closes gives its slot back.
func TestParkedAndClosed(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("connections are parked on Linux only")
	}
	conns := make(chan net.Conn, 1)
	ws := middleware.New(middleware.Options{
		Detach: true, MaxConns: 1, PingInterval: -1, Logger: textLogger(io.Discard),
	})
	ws.SetIdleAfter(time.Millisecond)
	s := httptest.NewUnstartedServer(ws)
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateHijacked {
			conns <- c
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	for range 3 {
		connectWhenFree(t, s)
		wantServed(t, 0)
		_ = (<-conns).Close() // which is found out within two seconds
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := ws.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// A parked connection does not keep what its client has offered.
func TestParkedMemory(t *testing.T) {
	s, _ := serveParking(t, middleware.Options{})
	offers := strings.Repeat("a-long-name-of-a-subprotocol-", 1000)
	before := takeStock().heap
	const clients = 20
	for range clients {
		connect(t, s, "Sec-WebSocket-Protocol: chat, "+offers+"\r\nX: "+strings.Repeat("x", 500_000)+"\r\n")
	}
	wantServed(t, 0)
	if each := (int64(takeStock().heap) - int64(before)) / clients; each > 60_000 {
		t.Errorf("%d bytes for each connection", each)
	}
}

// Pongs go between the frames of a writer in another goroutine, whatever the sizes.
func TestPongsBetweenFrames(t *testing.T) {
	const messages = 500
	sizes := []int{0, 1, 125, 126, 4000, 4096, 4097, 61_430, 65_520, 65_526, 65_530, 65_536, 70_000, 140_000}
	push := middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
		go func() { _ = c.Discard() }()
		for i := range messages {
			if err := c.WriteMessage(middleware.BinaryMessage, make([]byte, sizes[i%len(sizes)])); err != nil {
				return err
			}
		}
		return nil
	})
	s := serve(t, middleware.Options{Handler: push})
	c := connect(t, s)
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		flood(c, frame(0x89, "a ping"), stop)
	}()
	for i, pongs := 0, 0; ; {
		first, payload := c.frame()
		switch {
		case first == 0x8a && payload == "a ping":
			pongs++
			continue
		case first == 0x88 && i == messages:
			close(stop)
			_ = c.Close()
			<-stopped
			t.Logf("%d pongs", pongs)
			return
		case first != 0x82 || len(payload) != sizes[i%len(sizes)] || strings.Trim(payload, "\x00") != "":
			t.Fatalf("message %d: frame %#x of %d bytes", i, first, len(payload))
		}
		i++
	}
}

// A connection that ends anywhere, even while its message is answered piece by piece, leaves nothing
// in what other connections use after it.
func TestEndsAnywhere(t *testing.T) {
	pieces := func(_ context.Context, c *middleware.Conn) error {
		for {
			kind, r, err := c.NextReader()
			if err != nil {
				return err
			}
			w, err := c.NextWriter(kind)
			if err != nil {
				return err
			}
			_, err = io.CopyBuffer(struct{ io.Writer }{w}, r, make([]byte, 3))
			if err != nil {
				return err // without closing w
			}
			if err := w.Close(); err != nil {
				return err
			}
		}
	}
	lost := frame(0x01, "lost") + frame(0x89, "lost") + frame(0x80, "lost") + frame(0x82, noise(600))
	kept := frame(0x02, "ke") + frame(0x89, "ping") + frame(0x80, "pt")
	inBubble(t, middleware.Options{
		Handler: middleware.HandlerFunc(pieces), Logger: textLogger(io.Discard),
	}, func(t *testing.T, dial func() *rawClient) {
		for size := range len(lost) {
			first, second := dial().shakeHands(), dial().shakeHands()
			go func() { _, _ = io.Copy(io.Discard, first.Conn) }()
			first.send(lost[:size])
			_ = first.Close()
			second.send(kept)
			second.want(reply(0x8a, "ping") + reply(0x82, "kept"))
			_ = second.Close()
		}
	})
}
