// Package middleware puts a WebSocket endpoint into an HTTP server that already works.
//
// [New] makes a [Middleware]; its Handler method wraps the server's [http.Handler]. WebSocket
// handshakes on one path are served there, every other request reaches the wrapped handler
// untouched:
//
//	ws := middleware.New(middleware.Options{Path: "/ws"})
//	http.ListenAndServe(":3000", ws.Handler(app))
//
// By default each message is echoed behind [Greeting]. [Options.Handler] takes your own: a
// [MessageFunc] answers messages one by one, a [HandlerFunc] has the whole connection, a [Conn].
//
// The protocol is RFC 6455 with the permessage-deflate extension of RFC 7692, on the engine of
// github.com/gorilla/websocket, over HTTP/1.1.
package middleware

import (
	"fmt"
	"net/http"
	"time"

	"example.com/wsecho/middleware/internal/handshake"
	"example.com/wsecho/middleware/internal/poll"
	"example.com/wsecho/middleware/internal/upgrade"
)

// Middleware intercepts the WebSocket handshakes on its path. Make one with [New]; its methods
// may be called from several goroutines at once.
type Middleware struct {
	opts   Options // with defaults filled in; never changed
	terms  handshake.Terms
	conns  registry
	poller poll.Poller // of parked connections

	idleAfter time.Duration // how long a connection waits in a goroutine before it is parked
}

const defaultIdleAfter = 100 * time.Millisecond

// New returns a Middleware for the options. It panics if they are malformed, as
// [http.ServeMux.Handle] does; [Options.Validate] returns that error instead.
func New(opts Options) *Middleware {
	terms, err := opts.terms()
	if err != nil {
		panic(err)
	}
	m := &Middleware{opts: opts.withDefaults(), terms: terms, idleAfter: defaultIdleAfter}
	m.conns.max = m.opts.MaxConns
	return m
}

// Handler returns a handler that serves WebSocket handshakes on the path and hands every other
// request to next: the same ResponseWriter, the same Request. Its shape is the one that routers
// and middleware chains take: chi's r.Use(ws.Handler), alice.New(ws.Handler).
//
// A request that some WebSocket client made and that lost its upgrade headers on the way, as
// behind a proxy that is not told to forward them, is handed on too; the log says so.
func (m *Middleware) Handler(next http.Handler) http.Handler {
	return &wrapped{m, next}
}

type wrapped struct {
	m    *Middleware
	next http.Handler
}

func (h *wrapped) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if matchPath(h.m.opts.Path, r.URL.Path) {
		if handshake.IsUpgrade(r) {
			h.m.ServeHTTP(w, r)
			return
		}
		if err := handshake.CheckStripped(r); err != nil {
			h.m.opts.logStripped(r, err)
		}
	}
	h.next.ServeHTTP(w, r)
}

// Match reports whether Handler would serve r rather than hand it on: whether it asks, on the
// path, to be upgraded to a WebSocket. A request that matches may still be refused.
func (m *Middleware) Match(r *http.Request) bool {
	return matchPath(m.opts.Path, r.URL.Path) && handshake.IsUpgrade(r)
}

// ServeHTTP is the endpoint alone, for a router that has chosen the path already, as in
// mux.Handle("/ws", ws): whatever is not an acceptable handshake is refused with a 4xx or 5xx
// status and a sentence that says why. It returns when the connection has ended, unless
// [Options.Detach] says otherwise.
func (m *Middleware) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, refused := m.connect(w, r)
	switch {
	case refused != nil:
		m.opts.logRefused(r, refused)
		refused.Write(w)
		m.opts.hookRefused(r, refused)
	case m.opts.Detach:
		go m.serve(c)
	default:
		m.serve(c)
	}
}

// connect answers the handshake. The connection has a slot, which serve gives back.
func (m *Middleware) connect(w http.ResponseWriter, r *http.Request) (c *Conn, refused *handshake.Refusal) {
	agreed, refused := handshake.Check(r, m.terms)
	if refused != nil {
		return nil, refused
	}
	if refused := m.conns.admit(); refused != nil {
		return nil, refused
	}
	defer func() {
		if c == nil {
			m.conns.release()
		}
	}()
	if err := upgrade.Check(w); err != nil {
		return nil, handshake.Refusef(http.StatusInternalServerError, "%v", err)
	}
	agreed.SetHeader(w.Header())
	conn, received, err := upgrade.Hijack(w, m.opts.WriteTimeout)
	if err != nil {
		// net/http drops the connection, unless a recovery in between catches this.
		panic(fmt.Errorf("middleware: %w", err))
	}
	return m.newConn(conn, received, r, &agreed), nil
}

// serve serves the connection to its end.
func (m *Middleware) serve(c *Conn) {
	m.conns.add(c)
	m.resume(c)
}

// resume serves the connection until it has ended or is parked.
func (m *Middleware) resume(c *Conn) {
	parked := false
	defer func() {
		if parked {
			return
		}
		if m.conns.remove(c) == 0 {
			m.poller.Close()
		}
		m.conns.release()
	}()
	for !parked && c.serve(m.opts.Handler) {
		parked = c.transport.Park(&m.poller, func() { go m.resume(c) })
	}
}
