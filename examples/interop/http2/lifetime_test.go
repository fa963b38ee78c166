package http2_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// What a client does to its stream ends one connection, and no other stream.
func TestAbruptEnds(t *testing.T) {
	for _, test := range []struct {
		name  string
		lines []string
		sent  string
		end   func(*stream)
	}{
		{"reset after the handshake", nil, "", func(s *stream) { s.sendReset(http2.ErrCodeCancel) }},
		{"reset after a message", nil, hello, func(s *stream) {
			s.want(helloBack)
			s.sendReset(http2.ErrCodeCancel)
		}},
		{"reset within a header", nil, hello[:1], func(s *stream) { s.sendReset(http2.ErrCodeInternal) }},
		{"reset within a message", nil, hello[:7], func(s *stream) { s.sendReset(http2.ErrCodeNo) }},
		{"reset behind a message", nil, hello + hello, func(s *stream) { s.sendReset(http2.ErrCodeCancel) }},
		{"end after the handshake", nil, "", func(s *stream) { s.endsAfter("") }},
		{"end after a message", nil, hello, func(s *stream) { s.endsAfter(helloBack) }},
		{"end within a message", nil, hello[:7], func(s *stream) { s.endsAfter("") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := newEndings(t)
			s := serve(t, e.around(echo(e.watch(middleware.Options{})).Handler(app())))
			c := dial(t, s)
			other := c.connect()
			ws := c.connect()
			ws.send(test.sent)
			test.end(ws)
			if info := e.wantClosed(1006, false); info.Err == nil {
				t.Error("closed without an error")
			}
			other.send(hello + bye)
			other.want(helloBack + byeBack)
			other.wantEnd()
			e.wantClosed(1000, true)
		})
	}
}

// endsAfter sends END_STREAM and wants the rest of the stream.
func (s *stream) endsAfter(want string) {
	s.t.Helper()
	s.sendEnd()
	s.want(want)
	got, err := io.ReadAll(s)
	if err != nil || string(got) != "" {
		s.t.Errorf("got %q, %v", got, err)
	}
}

// A reset may come before the answer, and END_STREAM with the request.
func TestEndsWithHandshake(t *testing.T) {
	e := newEndings(t)
	c := dial(t, serve(t, e.around(echo(e.watch(middleware.Options{})))))
	for range 100 {
		c.open().sendReset(http2.ErrCodeCancel)
	}
	for range 100 {
		receive(t, e.returned)
	}
	ws := c.openWith(true)
	ws.wantStatus("200")
	ws.wantEnd()
	receive(t, e.returned)
	for len(e.closed) > 0 {
		if info := <-e.closed; info.Code != 1006 {
			t.Errorf("closed with %+v", info)
		}
	}
}

// Empty DATA frames, which no window limits, are no bytes of the WebSocket.
func TestEmptyData(t *testing.T) {
	ws := dial(t, serve(t, echo(middleware.Options{}))).connect()
	for i := range hello {
		ws.mu.Lock()
		for range 1000 {
			_ = ws.framer.WriteData(ws.id, false, nil)
		}
		ws.mu.Unlock()
		ws.send(hello[i : i+1])
	}
	ws.send(bye)
	ws.want(helloBack + byeBack)
	ws.wantEnd()
}

// Trailers end the stream as END_STREAM on DATA does.
func TestTrailers(t *testing.T) {
	e := newEndings(t)
	ws := dial(t, serve(t, e.around(echo(e.watch(middleware.Options{}))))).connect("trailer= x-sum")
	ws.send(hello)
	ws.want(helloBack)
	var block bytes.Buffer
	_ = hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: "x-sum", Value: "1"})
	ws.mu.Lock()
	_ = ws.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: ws.id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true,
	})
	ws.mu.Unlock()
	ws.wantEnd()
	e.wantClosed(1006, false)
}

// The end of the TCP connection ends all its streams.
func TestConnectionEnds(t *testing.T) {
	e := newEndings(t)
	c := dial(t, serve(t, e.around(echo(e.watch(middleware.Options{})))))
	for range 10 {
		c.connect().send(hello[:8])
	}
	c.close()
	for range 10 {
		e.wantClosed(1006, false)
	}
}

// 250 streams of one connection, which net/http allows, echo at the same time. One more is refused,
// and other connections are served.
func TestManyStreams(t *testing.T) {
	e := newEndings(t)
	s := serve(t, e.around(echo(e.watch(middleware.Options{}))))
	c := dial(t, s)
	var wg sync.WaitGroup
	streams := make([]*stream, 250)
	for i := range streams {
		streams[i] = c.connect()
	}
	tooMany := c.open()
	tooMany.waitFor("reset", func() bool { return tooMany.reset != nil })
	other := dial(t, s).connect()
	other.send(hello + bye)
	other.want(helloBack + byeBack)
	other.wantEnd()
	e.wantClosed(1000, true)
	payload := strings.Repeat("x", 1000)
	for _, ws := range streams {
		wg.Go(func() {
			for range 10 {
				if _, err := io.WriteString(ws, text(payload)); err != nil {
					t.Error(err)
				}
				ws.wantOrError(reply(0x81, payload))
			}
			if _, err := io.WriteString(ws, bye); err != nil {
				t.Error(err)
			}
			ws.wantOrError(byeBack)
		})
	}
	waitAll(t, &wg)
	for range streams {
		e.wantClosed(1000, true)
	}
}

// wantOrError is want for other goroutines than that of the test.
func (s *stream) wantOrError(want string) {
	got := make([]byte, len(want))
	if n, err := io.ReadFull(s, got); string(got[:n]) != want {
		s.t.Errorf("got %.100q, %v; want %.100q", got[:n], err, want)
	}
}

// The server's timeouts for requests do not count for WebSockets.
func TestServerTimeouts(t *testing.T) {
	const short = 200 * time.Millisecond
	s := serveWith(t, echo(middleware.Options{}), func(s *http.Server) {
		s.ReadTimeout, s.WriteTimeout = short, short
	})
	ws := dial(t, s).connect()
	for end := time.Now().Add(3 * short); time.Now().Before(end); {
		ws.send(hello)
		ws.want(helloBack)
	}
	ws.send(bye)
	ws.want(byeBack)
	ws.wantEnd()
}

// Timeouts of the middleware close with their codes.
func TestTimeouts(t *testing.T) {
	for _, test := range []struct {
		name string
		opts middleware.Options
		send string
		want string
	}{
		{"no pong", middleware.Options{PingInterval: 10 * time.Millisecond, PongTimeout: 50 * time.Millisecond}, "", "no answer to a ping within 50ms"},
		{"slow message", middleware.Options{ReadTimeout: 50 * time.Millisecond}, hello[:7], "message slower than 256 KiB in 50ms"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := newEndings(t)
			c := dial(t, serve(t, e.around(echo(e.watch(test.opts)))))
			ws := c.connect()
			ws.send(test.send)
			got := make([]byte, 2)
			for got[0] != 0x88 { // Pings come before.
				if _, err := io.ReadFull(ws, got); err != nil {
					t.Fatal(err)
				}
			}
			ws.want("\x03\xf0" + test.want)
			ws.wantEnd()
			e.wantClosed(1008, false)
		})
	}
}

// A client that has not answered the close frame within the CloseTimeout is not waited for.
func TestCloseTimeout(t *testing.T) {
	e := newEndings(t)
	opts := middleware.Options{
		CloseTimeout: 50 * time.Millisecond,
		Handler:      middleware.HandlerFunc(func(context.Context, *middleware.Conn) error { return nil }),
	}
	c := dial(t, serve(t, e.around(echo(e.watch(opts)))))
	ws := c.connect()
	ws.want(byeBack)
	ws.wantEnd()
	e.wantClosed(1000, false)
}

// After ServeHTTP has returned, writes of other goroutines fail.
func TestWriteAfterReturn(t *testing.T) {
	e := newEndings(t)
	c := dial(t, serve(t, e.around(echo(e.watch(middleware.Options{})))))
	for range 20 {
		ws := c.connect()
		conn := receive(t, e.accepted)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					err := conn.WriteMessage(middleware.TextMessage, []byte("again"))
					if errors.Is(err, net.ErrClosed) {
						return
					} else if err != nil && !strings.Contains(err.Error(), "closed") {
						t.Errorf("write: %v", err)
						return
					}
				}
			})
		}
		ws.want(reply(0x81, "again"))
		ws.send(bye)
		if got, err := io.ReadAll(ws); err != nil || !strings.HasSuffix(string(got), byeBack) {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		waitAll(t, &wg)
		e.wantClosed(1000, true)
	}
}

// Detach has no effect: the stream would end with ServeHTTP.
func TestDetach(t *testing.T) {
	e := newEndings(t)
	c := dial(t, serve(t, e.around(echo(e.watch(middleware.Options{Detach: true})))))
	ws := c.connect()
	ws.send(hello)
	ws.want(helloBack)
	if e.running.Load() != 1 {
		t.Error("ServeHTTP has returned")
	}
	ws.send(bye)
	ws.want(byeBack)
	ws.wantEnd()
	e.wantClosed(1000, true)
}

// Shutdown sends 1001 after the answers, and then the stream ends.
func TestShutdown(t *testing.T) {
	e := newEndings(t)
	m := echo(e.watch(middleware.Options{}))
	s := serve(t, e.around(m))
	c := dial(t, s)
	streams := make([]*stream, 50)
	for i := range streams {
		streams[i] = c.connect()
		streams[i].send(hello)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- m.Shutdown(ctx) }()
	for _, ws := range streams {
		ws.want(helloBack + closeReply(1001, "server is shutting down"))
		ws.send(closing(1001, ""))
		ws.wantEnd()
		e.wantClosed(1001, false)
	}
	if err := receive(t, drained); err != nil {
		t.Error(err)
	}
	if err := s.Config.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// New streams race with the shutdown: each is refused, or served and closed.
func TestShutdownRace(t *testing.T) {
	e := newEndings(t)
	m := echo(e.watch(middleware.Options{}))
	s := serve(t, e.around(m))
	c := dial(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	drained := make(chan error, 1)
	streams := make([]*stream, 100)
	for i := range streams {
		if i == len(streams)/2 {
			go func() { drained <- errors.Join(m.Shutdown(ctx), s.Config.Shutdown(ctx)) }()
		}
		streams[i] = c.open()
	}
	for _, ws := range streams {
		got, err := io.ReadAll(&answers{ws})
		switch status := ws.status(); {
		case status == "200" && string(got) == closeReply(1001, "server is shutting down") && err == nil:
		case status == "503" && string(got) == "the server is shutting down\n" && err == nil:
		case status == "" && c.isGoingAway(): // after GOAWAY
		default:
			t.Errorf("got %s %q, %v", status, got, err)
		}
	}
	if err := receive(t, drained); err != nil {
		t.Error(err)
	}
}

func (s *stream) status() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := s.header[":status"]; len(got) == 1 {
		return got[0]
	}
	return ""
}

func (c *client) isGoingAway() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.goAway
}

// answers is a stream whose client answers what looks like a close frame.
type answers struct{ *stream }

func (a answers) Read(p []byte) (int, error) {
	n, err := a.stream.Read(p)
	if n > 0 && p[0] == 0x88 {
		_, _ = io.WriteString(a.stream, closing(1001, ""))
	}
	return n, err
}

// What the wrapped application panics with is no concern of other streams.
func TestPanic(t *testing.T) {
	e := newEndings(t)
	opts := middleware.Options{
		Handler: middleware.HandlerFunc(func(context.Context, *middleware.Conn) error { panic("x") }),
	}
	c := dial(t, serve(t, e.around(echo(e.watch(opts)).Handler(http.NotFoundHandler()))))
	ws := c.connect()
	ws.want(closeReply(1011, "internal server error"))
	ws.send(bye)
	ws.wantEnd()
	e.wantClosed(1011, false)
}
