package http2_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

// endings collects what a server reports of its connections and requests.
type endings struct {
	t        *testing.T
	accepted chan *middleware.Conn
	closed   chan middleware.CloseInfo
	returned chan struct{} // from ServeHTTP
	running  atomic.Int64  // requests
}

func newEndings(t *testing.T) *endings {
	return &endings{
		t: t, accepted: make(chan *middleware.Conn, 1000),
		closed: make(chan middleware.CloseInfo, 1000), returned: make(chan struct{}, 1000),
	}
}

// watch returns options with hooks.
func (e *endings) watch(opts middleware.Options) middleware.Options {
	opts.Hooks.Accepted = func(c *middleware.Conn) { e.accepted <- c }
	opts.Hooks.Closed = func(_ *middleware.Conn, info middleware.CloseInfo) { e.closed <- info }
	return opts
}

// around notes when h returns.
func (e *endings) around(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.running.Add(1)
		defer func() {
			e.running.Add(-1)
			e.returned <- struct{}{}
		}()
		h.ServeHTTP(w, r)
	})
}

// wantClosed waits for a connection to end with the code, and for its handler to return.
func (e *endings) wantClosed(code int, byClient bool) middleware.CloseInfo {
	e.t.Helper()
	info := receive(e.t, e.closed)
	if info.Code != code || info.ByClient != byClient {
		e.t.Errorf("closed with %+v, want %d, by client %t", info, code, byClient)
	}
	receive(e.t, e.returned)
	return info
}

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(timeout):
		t.Fatal("waited for too long")
		panic("unreachable")
	}
}

// waitAll waits for a group.
func waitAll(t *testing.T, wg *sync.WaitGroup) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		wg.Wait()
	}()
	receive(t, done)
}
