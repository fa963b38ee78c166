package middleware

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"example.com/wsecho/middleware/internal/frame"
	"github.com/gorilla/websocket"
)

// keepAlive sends pings, and finds out the client that does not answer. It is a timer, not a
// goroutine, so that an idle connection costs little.
type keepAlive struct {
	c       *Conn
	mu      sync.Mutex // held during a tick, so that stop can wait for it
	timer   *time.Timer
	stopped bool

	left time.Duration // of the PongTimeout of the last ping, unless it is answered
	wait uint64        // of the reader, when the ping was sent
}

func (k *keepAlive) start(c *Conn) {
	if c.opts.PingInterval < 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.c = c
	k.timer = time.AfterFunc(c.opts.PingInterval, k.tick)
}

func (k *keepAlive) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopped = true
	if k.timer != nil {
		k.timer.Stop()
	}
}

func (k *keepAlive) tick() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return
	}
	next := k.c.opts.PingInterval
	switch {
	case k.left == 0:
		if !k.ping() {
			return
		}
		k.left = max(k.c.opts.PongTimeout, 0)
		if k.left > 0 {
			next = min(next, k.left)
		}
	case !k.silent():
		next -= min(next, k.left)
		k.left = 0
	default:
		k.left -= min(next, k.left)
		if k.left == 0 {
			k.c.fail(&CloseError{
				Code:   frame.PolicyViolation,
				Reason: fmt.Sprintf("no answer to a ping within %v", k.c.opts.PongTimeout),
			})
			return
		}
		next = min(next, k.left)
	}
	k.timer.Reset(next)
}

// silent reports whether the reader has waited all the time since the ping.
func (k *keepAlive) silent() bool {
	return k.wait != 0 && k.wait == k.c.transport.Wait()
}

// ping reports whether pings are still of use.
func (k *keepAlive) ping() bool {
	k.wait = k.c.transport.Wait()
	err := k.c.writeControl(frame.Ping, nil)
	if err == nil {
		return true
	}
	if !errors.Is(err, websocket.ErrCloseSent) {
		k.c.drop()
	}
	return false
}
