// Package middleware adds a WebSocket endpoint to an existing HTTP server.
//
// [New] returns a [Middleware]; its Handler method wraps the server's [http.Handler]. It serves
// WebSocket handshakes on one path, and passes every other request to the wrapped handler
// unchanged:
//
//	ws := middleware.New(middleware.Options{Path: "/ws"})
//	http.ListenAndServe(":3000", ws.Handler(app))
//
// By default, each message is echoed after [Greeting]. [Options.Handler] replaces the echo: a
// [MessageFunc] answers messages one by one, [PerConn] makes such a function for each connection,
// which then knows its user, and a [HandlerFunc] serves a whole connection, a [Conn].
//
// The protocol is RFC 6455 with the permessage-deflate extension of RFC 7692, over HTTP/1.1, HTTP/2
// (RFC 8441) and HTTP/3 (RFC 9220). github.com/gorilla/websocket encodes and decodes the frames.
package middleware

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"example.com/wsecho/middleware/internal/admission"
	"example.com/wsecho/middleware/internal/engine"
	"example.com/wsecho/middleware/internal/handshake"
	"example.com/wsecho/middleware/internal/logging"
	"example.com/wsecho/middleware/internal/poll"
	"example.com/wsecho/middleware/internal/upgrade"
)

// Middleware intercepts the WebSocket handshakes on its path. Create one with [New]. Its methods
// are safe for concurrent use.
type Middleware struct {
	opts   shared
	terms  handshake.Terms
	conns  registry
	poller poll.Poller // waits for parked connections

	idleAfter time.Duration // how long a goroutine waits for a message before it parks
}

// shared is what connections know of their Middleware.
type shared struct {
	Options  // with defaults applied; not changed after New
	warnings logging.Limiter
	engines  engine.Pool
}

const defaultIdleAfter = 100 * time.Millisecond

// New returns a Middleware for the options. It panics if they are malformed, as
// [http.ServeMux.Handle] does; [Options.Validate] returns that error instead.
func New(opts Options) *Middleware {
	terms, err := opts.terms()
	if err != nil {
		panic(err)
	}
	m := &Middleware{terms: terms, idleAfter: defaultIdleAfter}
	m.opts.Options = opts.withDefaults()
	m.conns.conns = make(map[*Conn]struct{})
	m.conns.gate = admission.NewGate(m.opts.MaxConns, m.opts.MaxConnsPerClient)
	return m
}

// Handler returns a handler that serves WebSocket handshakes on the path and passes every other
// request to next, with the same ResponseWriter and Request. Its signature is the one that routers
// and middleware chains accept: chi's r.Use(ws.Handler), alice.New(ws.Handler).
//
// A handshake whose upgrade headers a proxy has removed is passed to next too, with a warning in
// the log.
func (m *Middleware) Handler(next http.Handler) http.Handler {
	return &wrapped{m, next}
}

type wrapped struct {
	m    *Middleware
	next http.Handler
}

func (h *wrapped) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if handshake.MatchPath(h.m.opts.Path, r.URL.Path) {
		if handshake.IsHandshake(r) {
			h.m.ServeHTTP(w, r)
			return
		}
		if err := handshake.CheckStripped(r); err != nil {
			h.m.opts.logStripped(r, err)
		}
	}
	h.next.ServeHTTP(w, r)
}

// Match reports whether Handler would serve r rather than pass it on: whether r is on the path and
// asks for a WebSocket. A request that matches may still be refused.
func (m *Middleware) Match(r *http.Request) bool {
	return handshake.MatchPath(m.opts.Path, r.URL.Path) && handshake.IsHandshake(r)
}

// ServeHTTP serves handshakes on any path, for a router that has matched the path already, as in
// mux.Handle("/ws", ws). A request that is not an acceptable handshake is refused with a 4xx or
// 5xx status and a sentence that gives the reason. ServeHTTP returns when the connection has ended,
// or after the handshake if [Options.Detach] is set.
func (m *Middleware) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, refused := m.connect(w, r)
	switch {
	case refused != nil:
		m.opts.logRefused(r, refused)
		refused.Write(w, r)
		m.opts.hookRefused(r, refused)
	case m.opts.Detach && !upgrade.IsStream(r):
		go m.serve(c)
	default:
		m.serve(c)
	}
}

// connect answers the handshake. The connection holds a slot, which resume releases.
func (m *Middleware) connect(
	w http.ResponseWriter, r *http.Request,
) (c *Conn, refused *handshake.Refusal) {
	agreed, refused := handshake.Check(r, m.terms)
	if refused != nil {
		return nil, refused
	}
	client := m.client(r)
	if refused := m.admit(client); refused != nil {
		return nil, refused
	}
	var conn net.Conn
	defer func() {
		if c == nil {
			m.conns.gate.Leave(client)
			if conn != nil { // The context of the request has panicked.
				_ = conn.Close()
				upgrade.Wait(conn)
			}
		}
	}()
	if err := upgrade.Check(w, r); err != nil {
		return nil, handshake.Refusef(http.StatusInternalServerError, "%v", err)
	}
	var expires time.Time
	if m.opts.Expires != nil {
		expires = m.opts.Expires(r)
	}
	agreed.SetHeader(w.Header())
	conn, received, err := upgrade.Accept(w, r, m.opts.WriteTimeout)
	if err != nil {
		// The answer may have been sent: a panic makes net/http close the connection, unless a
		// recovery middleware catches it.
		panic(fmt.Errorf("middleware: %w", err))
	}
	c = m.newConn(conn, received, r, &agreed)
	c.client = client
	if !expires.IsZero() {
		c.SetExpiry(expires)
	}
	return c, nil
}

// client names the client, if that matters.
func (m *Middleware) client(r *http.Request) string {
	switch {
	case !m.conns.gate.CountsClients():
		return ""
	case m.opts.Client != nil:
		return admission.Network(strings.Clone(m.opts.Client(r)))
	}
	return admission.Network(r.RemoteAddr)
}

// serve serves a new connection.
func (m *Middleware) serve(c *Conn) {
	m.conns.add(c)
	m.resume(c)
}

// resume serves the connection until it ends or is parked. The slot of a stream is taken until
// nothing is left of it: a client that reads nothing from the network can keep its request alive.
func (m *Middleware) resume(c *Conn) {
	parked := false
	defer func() {
		if parked {
			return
		}
		if m.conns.remove(c) == 0 {
			m.poller.Close()
		}
		upgrade.Wait(c.transport.Conn)
		m.conns.gate.Leave(c.client)
	}()
	for !parked && c.serve(m.opts.Handler) {
		parked = c.transport.Park(&m.poller, func() { go m.resume(c) })
	}
}
