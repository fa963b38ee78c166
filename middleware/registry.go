package middleware

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"example.com/wsecho/middleware/internal/handshake"
)

// registry counts slots and lists the open connections.
type registry struct {
	mu    sync.Mutex
	max   int // negative for no limit
	slots int // taken by connections, and by handshakes in progress
	conns map[*Conn]struct{}
	done  chan struct{} // created by Shutdown; closed when no slot is taken
	isCut bool          // Shutdown has cut the connections
}

// admit takes a slot, or returns a refusal.
func (g *registry) admit() *handshake.Refusal {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.done != nil:
		return handshake.Refusef(http.StatusServiceUnavailable, "the server is shutting down")
	case g.max >= 0 && g.slots >= g.max:
		return handshake.Refusef(http.StatusServiceUnavailable,
			"the limit of %d WebSocket connections is reached", g.max)
	}
	g.slots++
	return nil
}

func (g *registry) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.slots--
	if g.slots == 0 && g.done != nil {
		close(g.done)
	}
}

// add registers a connection. If a shutdown began during its handshake, it is drained or cut.
func (g *registry) add(c *Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isCut {
		defer func() { go cut([]*Conn{c}) }()
	}
	if g.conns == nil {
		g.conns = make(map[*Conn]struct{})
	}
	g.conns[c] = struct{}{}
	if g.done != nil {
		c.drain()
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

// shutDown stops admission. It returns the connections, and a channel that is closed when all slots
// are free.
func (g *registry) shutDown() ([]*Conn, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.done == nil {
		g.done = make(chan struct{})
		if g.slots == 0 {
			close(g.done)
		}
	}
	return g.list(), g.done
}

// cutAll returns the connections. From now on, add cuts.
func (g *registry) cutAll() []*Conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.isCut = true
	return g.list()
}

func (g *registry) list() []*Conn {
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
// A handler that neither reads nor returns is not interrupted before ctx is done.
func (m *Middleware) Shutdown(ctx context.Context) error {
	conns, done := m.conns.shutDown()
	for _, c := range conns {
		c.drain()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	cut(m.conns.cutAll())
	return ctx.Err()
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
