package http2_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"golang.org/x/net/http2"
)

// flood is a handler that writes until that fails, and reads nothing but closes.
func flood() middleware.Handler {
	return middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
		go c.Discard() // returns when the connection ends
		message := make([]byte, 100<<10)
		for {
			if err := c.WriteMessage(middleware.BinaryMessage, message); err != nil {
				return err
			}
		}
	})
}

const shortWrite = 200 * time.Millisecond

// A client that gives its stream no window is cut after the WriteTimeout, by a reset of the stream.
func TestStalledStream(t *testing.T) {
	e := newEndings(t)
	c := dial(t, serve(t, e.around(echo(e.watch(middleware.Options{
		WriteTimeout: shortWrite, Handler: flood(),
	})))))
	ws := c.open()
	ws.stall()
	ws.wantStatus("200")
	if info := e.wantClosed(1006, false); info.Err == nil {
		t.Error("closed without an error")
	}
	ws.waitFor("reset", func() bool { return ws.reset != nil })
	if *ws.reset != http2.ErrCodeInternal {
		t.Errorf("reset with %v", *ws.reset)
	}
	if c.isGoingAway() {
		t.Error("the connection has ended")
	}
}

func (s *stream) stall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stalled = true
}

// A slow client that keeps the pace of the WriteTimeout is served.
func TestSlowStream(t *testing.T) {
	const size = 600 << 10
	e := newEndings(t)
	c := dial(t, serve(t, e.around(echo(e.watch(middleware.Options{
		WriteTimeout: 500 * time.Millisecond,
		Handler: middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
			return c.WriteMessage(middleware.BinaryMessage, make([]byte, size))
		}),
	})))))
	ws := c.open()
	ws.stall()
	ws.wantStatus("200")
	for got := 0; got < size; {
		ws.waitFor("data", func() bool { return ws.data.Len() > got })
		time.Sleep(20 * time.Millisecond) // the pace
		ws.mu.Lock()
		n := uint32(ws.data.Len() - got)
		got += int(n)
		_ = ws.framer.WriteWindowUpdate(0, n)
		_ = ws.framer.WriteWindowUpdate(ws.id, n)
		ws.mu.Unlock()
	}
	ws.waitFor("close frame", func() bool { return strings.HasSuffix(ws.data.String(), byeBack) })
	if _, err := ws.Write([]byte(bye)); err != nil {
		t.Fatal(err)
	}
	ws.waitFor("end", func() bool { return ws.end })
	e.wantClosed(1000, false)
}

// A client that reads nothing from the network stalls all its streams. Their connections end after
// the WriteTimeout, those of other clients are served, and with a WriteByteTimeout nothing is left.
func TestStalledConnection(t *testing.T) {
	const streams = 20
	e := newEndings(t)
	m := echo(e.watch(middleware.Options{WriteTimeout: shortWrite, Handler: flood()}))
	mux := http.NewServeMux()
	mux.Handle("/ws", e.around(m))
	mux.Handle("/echo", echo(middleware.Options{}))
	s := serveWith(t, mux, func(s *http.Server) {
		s.HTTP2 = &http.HTTP2Config{WriteByteTimeout: 10 * shortWrite}
	})
	c := dial(t, s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30})
	c.mu.Lock()
	_ = c.framer.WriteWindowUpdate(0, 1<<30)
	c.mu.Unlock()
	open := make([]*stream, streams)
	for i := range open {
		open[i] = c.open()
	}
	for _, ws := range open {
		ws.waitFor("response", func() bool { return ws.header != nil })
	}
	release := c.stopReading()
	for range streams {
		if info := receive(t, e.closed); info.Code != 1006 {
			t.Errorf("closed with %+v", info)
		}
	}
	other := dial(t, s).connect(":path= /echo")
	other.send(hello + bye)
	other.want(helloBack + byeBack)
	other.wantEnd()
	for range streams {
		receive(t, e.returned)
	}
	release()
}

// stopReading makes the client read nothing from the network until the release.
func (c *client) stopReading() (release func()) {
	c.mu.Lock() // The goroutine that reads waits for it.
	release = sync.OnceFunc(c.mu.Unlock)
	c.t.Cleanup(release)
	return release
}

// What is left of a stalled WebSocket takes its slot: MaxConns limits that, too.
func TestStalledSlots(t *testing.T) {
	const slots = 3
	e := newEndings(t)
	m := echo(e.watch(middleware.Options{
		WriteTimeout: shortWrite, MaxConns: slots, Handler: flood(),
	}))
	s := serve(t, e.around(m))
	c := dial(t, s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30})
	c.mu.Lock()
	_ = c.framer.WriteWindowUpdate(0, 1<<30)
	c.mu.Unlock()
	for range slots {
		c.open()
	}
	for range slots {
		receive(t, e.accepted)
	}
	release := c.stopReading()
	for range slots {
		receive(t, e.closed)
	}
	for deadline := time.Now().Add(timeout); m.NumConns() > 0; runtime.Gosched() { // after the hook
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are open", m.NumConns())
		}
	}
	dial(t, s).open().wantStatus("503")
	receive(t, e.returned)
	release()
	c.close()
	for range slots {
		receive(t, e.returned)
	}
	dial(t, s).connect()
}

// Shutdown does not wait for a stalled client.
func TestStalledShutdown(t *testing.T) {
	e := newEndings(t)
	m := echo(e.watch(middleware.Options{Handler: flood()}))
	c := dial(t, serve(t, e.around(m)))
	ws := c.open()
	ws.stall()
	ws.wantStatus("200")
	ws.waitFor("data", func() bool { return ws.data.Len() == initialWindow })
	ctx, cancel := context.WithTimeout(t.Context(), shortWrite)
	defer cancel()
	if err := m.Shutdown(ctx); err != context.DeadlineExceeded {
		t.Errorf("Shutdown: %v", err)
	}
	e.wantClosed(1006, false)
	ws.waitFor("reset", func() bool { return ws.reset != nil })
}

// Shutdown resets the stream of a handler that does not return.
func TestShutdownOfStuckHandler(t *testing.T) {
	e := newEndings(t)
	release := make(chan struct{})
	m := echo(e.watch(middleware.Options{
		Handler: middleware.HandlerFunc(func(context.Context, *middleware.Conn) error {
			<-release
			return nil
		}),
	}))
	ws := dial(t, serve(t, e.around(m))).connect()
	receive(t, e.accepted)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Shutdown(ctx); err != context.Canceled {
		t.Errorf("Shutdown: %v", err)
	}
	ws.want(closeReply(1001, "server is shutting down"))
	ws.waitFor("reset", func() bool { return ws.reset != nil })
	close(release)
	e.wantClosed(1001, false)
}

// A stream that is not read does not block the others if the server limits its share of the window.
func TestUnreadStream(t *testing.T) {
	e := newEndings(t)
	release := make(chan struct{})
	unread := echo(e.watch(middleware.Options{
		Handler: middleware.HandlerFunc(func(ctx context.Context, c *middleware.Conn) error {
			<-release
			return c.Discard()
		}),
	}))
	mux := http.NewServeMux()
	mux.Handle("/unread", e.around(unread))
	mux.Handle("/echo", echo(middleware.Options{}))
	c := dial(t, serveWith(t, mux, func(s *http.Server) {
		s.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10}
	}))
	blocked := c.connect(":path= /unread")
	var wg sync.WaitGroup
	large := strings.Repeat("x", 512<<10)
	wg.Go(func() {
		if _, err := blocked.Write([]byte(text(large) + bye)); err != nil {
			t.Errorf("unread: %v", err)
		}
	})
	blocked.waitFor("a full window", func() bool { return blocked.window == 0 })
	other := c.connect(":path= /echo")
	wg.Go(func() { _, _ = other.Write([]byte(text(large) + bye)) })
	other.want(reply(0x81, large) + byeBack)
	other.wantEnd()
	close(release)
	blocked.want(byeBack)
	blocked.wantEnd()
	waitAll(t, &wg)
	e.wantClosed(1000, true)
}
