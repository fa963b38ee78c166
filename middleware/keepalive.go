package middleware

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"example.com/wsecho/middleware/internal/frame"
	"github.com/gorilla/websocket"
)

// keepAlive sends pings and fails a connection whose client does not answer. It uses a timer, not a
// goroutine, to save memory.
type keepAlive struct {
	c       *Conn
	mu      sync.Mutex // held during tick, so that stop waits for it
	timer   *time.Timer
	stopped bool

	left time.Duration // of the PongTimeout; 0 if no answer is awaited
	wait uint64        // the reader's wait when the ping was sent, see transport.Wait
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

// silent reports whether the reader has waited in vain since the ping was sent.
func (k *keepAlive) silent() bool {
	return k.wait != 0 && k.wait == k.c.transport.Wait()
}

// ping sends a ping, and reports whether the connection is still open.
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
