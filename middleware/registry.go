package middleware

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"example.com/wsecho/middleware/internal/admission"
	"example.com/wsecho/middleware/internal/handshake"
)

// registry lists the open connections.
type registry struct {
	gate  *admission.Gate // for connections, and for handshakes in progress
	mu    sync.Mutex
	conns map[*Conn]struct{}
	isCut bool // Shutdown has cut the connections
}

// admit takes a slot, or returns a refusal.
func (m *Middleware) admit(client string) *handshake.Refusal {
	switch m.conns.gate.Enter(client) {
	case admission.ErrClosed:
		return handshake.Refusef(http.StatusServiceUnavailable, "the server is shutting down")
	case admission.ErrFull:
		return handshake.Refusef(http.StatusServiceUnavailable,
			"the limit of %d WebSocket connections is reached", m.opts.MaxConns)
	case admission.ErrClientFull:
		return handshake.Refusef(http.StatusTooManyRequests,
			"the limit of %d WebSocket connections for one client is reached", m.opts.MaxConnsPerClient)
	}
	return nil
}

// add registers a connection. If a shutdown began during its handshake, it is drained or cut.
func (g *registry) add(c *Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns[c] = struct{}{}
	if g.gate.Closed() {
		c.drain(goingAway())
	}
	if g.isCut {
		go cut([]*Conn{c})
	}
}

// remove returns the number of connections left.
func (g *registry) remove(c *Conn) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
	return len(g.conns)
}

// NumConns returns the number of open connections, those that are closing included.
func (m *Middleware) NumConns() int {
	m.conns.mu.Lock()
	defer m.conns.mu.Unlock()
	return len(m.conns.conns)
}

// cutAll returns the connections. From now on, add cuts.
func (g *registry) cutAll() []*Conn {
	g.mu.Lock()
	g.isCut = true
	g.mu.Unlock()
	return g.list()
}

func (g *registry) list() []*Conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	conns := make([]*Conn, 0, len(g.conns))
	for c := range g.conns {
		conns = append(conns, c)
	}
	return conns
}

// Shutdown closes all connections: each is sent a close frame with 1001 after all messages that it
// has sent are answered. New handshakes are refused with 503 and Retry-After. Shutdown returns nil
// when the last connection has ended. If ctx is done before, it cuts the remaining connections and
// returns ctx.Err(). Call it in addition to [http.Server.Shutdown], which ignores hijacked
// connections (golang/go#17721), and at the same time: over HTTP/2, that waits for connections.
//
// A client that keeps sending is sent the close frame after a second. With [Options.DrainSpread]
// the connections are told one after the other. A handler that neither reads nor returns is not
// interrupted before ctx is done.
func (m *Middleware) Shutdown(ctx context.Context) error {
	done := m.conns.gate.Close()
	m.drainAll(ctx, done)
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-done: // Both were done, and select has chosen at random.
		return nil
	default:
	}
	cut(m.conns.cutAll())
	return ctx.Err()
}

// drainAll drains the connections in random order, evenly over the DrainSpread, but at most over
// nine tenths of the time that ctx leaves.
func (m *Middleware) drainAll(ctx context.Context, done <-chan struct{}) {
	spread := max(m.opts.DrainSpread, 0)
	if deadline, ok := ctx.Deadline(); ok {
		spread = min(spread, max(time.Until(deadline), 0)/10*9)
	}
	conns := m.conns.list()
	rand.Shuffle(len(conns), func(i, j int) { conns[i], conns[j] = conns[j], conns[i] })
	began := time.Now()
	for i, c := range conns {
		due := spread / time.Duration(len(conns)) * time.Duration(i)
		if wait := due - time.Since(began); wait > 0 {
			select {
			case <-time.After(wait):
			case <-done:
			case <-ctx.Done():
			}
		}
		c.drain(goingAway())
	}
}

var errCut = errors.New("middleware: cut by Shutdown")

// cutTime is how long cut may try to send a close frame.
const cutTime = 100 * time.Millisecond

func cut(conns []*Conn) {
	var wg sync.WaitGroup
	timer := time.AfterFunc(cutTime, func() {
		for _, c := range conns {
			_ = c.drop(errCut)
		}
	})
	for _, c := range conns {
		wg.Go(func() {
			c.sendClose(goingAway())
			_ = c.drop(errCut)
		})
	}
	wg.Wait()
	timer.Stop()
}
