package middleware_test

import (
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
	"weak"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
)

// inBubble runs a test with a server whose connections are in memory, for which time passes only
// when everybody waits. dial connects to it without a handshake.
func inBubble(t *testing.T, opts middleware.Options, test func(t *testing.T, dial func() *rawClient)) {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	handlerInBubble(t, func() http.Handler { return middleware.New(opts) }, test)
}

// handlerInBubble is inBubble with a handler that is made inside.
func handlerInBubble(
	t *testing.T, makeHandler func() http.Handler, test func(t *testing.T, dial func() *rawClient),
) {
	synctest.Test(t, func(t *testing.T) {
		s := wstest.NewServer(t, makeHandler())
		test(t, func() *rawClient {
			c := newRawClient(t, s.Connect())
			c.Timeout = forever
			return c
		})
	})
}

// forever is longer than any test in a bubble.
const forever = 100 * 24 * time.Hour

// wantAfter reads the bytes expected, whose first one comes exactly after d.
func (c *rawClient) wantAfter(d time.Duration, want string) {
	c.t.Helper()
	began := time.Now()
	first := c.read(1)
	if got := time.Since(began); got != d {
		c.t.Errorf("something came after %v, want %v", got, d)
	}
	if string(first) != want[:1] {
		c.t.Fatalf("got %q first; want %s", first, shorten([]byte(want)))
	}
	c.want(want[1:])
}

// A detached connection keeps nothing of a header from which a handler in front has taken the
// RemoteAddr, as chi's RealIP does: the header may have a megabyte.
func TestRemoteAddrIsCopied(t *testing.T) {
	ws := middleware.New(middleware.Options{Detach: true, Logger: slog.New(slog.DiscardHandler)})
	var header weak.Pointer[byte]
	returned := make(chan struct{})
	s := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(returned)
		value := []byte("192.0.2.1, " + strings.Repeat("x", 1<<20))
		header = weak.Make(&value[0])
		r.RemoteAddr = unsafe.String(&value[0], len("192.0.2.1"))
		ws.ServeHTTP(w, r)
	}))
	c := dialRaw(t, s)
	c.request("/ws", handshakeLines)
	c.send(text("Hello"))
	c.want(reply(0x81, middleware.Greeting+"Hello"))
	<-returned
	for deadline := time.Now().Add(patience); header.Value() != nil; runtime.GC() {
		if time.Now().After(deadline) {
			t.Fatal("the connection keeps the header")
		}
	}
}
