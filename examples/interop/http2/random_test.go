package http2_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"golang.org/x/net/http2"
)

// Whatever clients do to 600 streams, while handlers end in every way and other goroutines write,
// all handlers return, and no goroutine uses a ResponseWriter afterwards: the race detector, the log
// of net/http and the check for leaks would tell.
func TestRandomEnds(t *testing.T) {
	const conns, streams, short = 30, 20, 50 * time.Millisecond
	e := newEndings(t)
	m := echo(e.watch(middleware.Options{
		Handler: middleware.HandlerFunc(endAnyhow), Compression: true,
		WriteTimeout: short, CloseTimeout: short, PingInterval: short, PongTimeout: short,
	}))
	s := serveWith(t, e.around(m), func(s *http.Server) {
		s.HTTP2 = &http.HTTP2Config{WriteByteTimeout: 10 * short, MaxReceiveBufferPerStream: 64 << 10}
	})
	limit := make(chan struct{}, 5)
	var all sync.WaitGroup
	for range conns {
		limit <- struct{}{}
		c := dial(t, s)
		for range streams {
			ws := c.openWith(rand.IntN(10) == 0, "sec-websocket-extensions= permessage-deflate")
			ws.deadline = time.Now().Add(rand.N(2 * short))
			all.Go(ws.doAnything)
		}
		time.AfterFunc(rand.N(4*short), func() {
			_ = c.conn.Close() // The server sees streams that end like this, too.
			<-limit
		})
	}
	waitAll(t, &all)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	if err := m.Shutdown(ctx); err != nil || m.NumConns() > 0 {
		t.Errorf("%v, %d connections are left", err, m.NumConns())
	}
	if accepted, closed := len(e.accepted), len(e.closed); accepted != closed || accepted == 0 {
		t.Errorf("%d accepted, %d closed", accepted, closed)
	}
}

// endAnyhow ends while goroutines that it has started write.
func endAnyhow(_ context.Context, c *middleware.Conn) error {
	for range 3 {
		go func() {
			for c.WriteMessage(middleware.BinaryMessage, make([]byte, rand.IntN(40_000))) == nil {
			}
		}()
	}
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			return err
		}
		switch rand.IntN(5) {
		case 0:
			return nil
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			return c.Close(4000, "bye")
		}
	}
}

// doAnything sends and reads until the deadline at most. Its errors are those of the random ends.
func (s *stream) doAnything() {
	if rand.IntN(3) == 0 {
		s.stall()
	}
	for range rand.IntN(5) {
		switch rand.IntN(4) {
		case 0:
			_, _ = io.WriteString(s, hello)
		case 1:
			_, _ = io.WriteString(s, hello[:rand.IntN(len(hello))])
		case 2:
			_, _ = io.CopyN(io.Discard, s, rand.Int64N(100_000))
		case 3:
			_, _ = io.WriteString(s, bye)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch rand.IntN(3) {
	case 0:
		_ = s.framer.WriteRSTStream(s.id, http2.ErrCodeCancel)
	case 1:
		_ = s.framer.WriteData(s.id, true, nil)
	}
}
