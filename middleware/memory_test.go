package middleware_test

import (
	"bufio"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware"
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
	same := func(l net.Listener) net.Listener { return l }
	listenerInBubble(t, makeHandler, same, test)
}

// listenerInBubble is handlerInBubble with a listener around the one in memory.
func listenerInBubble(
	t *testing.T, makeHandler func() http.Handler, wrap func(net.Listener) net.Listener,
	test func(t *testing.T, dial func() *rawClient),
) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		s := &http.Server{Handler: makeHandler()}
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(wrap(l)) }()
		t.Cleanup(func() {
			_ = s.Close()
			<-ended
		})
		test(t, func() *rawClient {
			client, server := net.Pipe()
			t.Cleanup(func() { _ = client.Close() })
			l.conns <- server
			return &rawClient{t: t, Conn: client, r: bufio.NewReader(client)}
		})
	})
}

// pipeListener accepts the ends of pipes.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "pipe"} }

// wantAfter reads the bytes expected, whose first one comes exactly after d.
func (c *rawClient) wantAfter(d time.Duration, want string) {
	c.t.Helper()
	began := time.Now()
	if _, err := c.r.Peek(1); err != nil {
		c.t.Fatal(err)
	}
	if got := time.Since(began); got != d {
		c.t.Errorf("something came after %v, want %v", got, d)
	}
	c.want(want)
}
