package middleware

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// keepAlive sends pings, and finds out the client that does not answer. It is a timer, not a
// goroutine, so that an idle connection costs little.
type keepAlive struct {
	c       *Conn
	mu      sync.Mutex // held during a tick, so that stop can wait for it
	timer   *time.Timer
	stopped bool

	waiting bool   // a ping has been sent and PongTimeout is not over
	waits   uint64 // of the transport, when the ping was sent
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
	if k.waiting {
		k.waiting = false
		if k.silent() {
			k.c.fail(&CloseError{
				Code:   websocket.ClosePolicyViolation,
				Reason: fmt.Sprintf("no answer to a ping within %v", k.c.opts.PongTimeout),
			})
			return
		}
		next -= k.c.opts.PongTimeout
	} else {
		if !k.ping() {
			return
		}
		if k.c.opts.PongTimeout > 0 {
			k.waiting = true
			next = k.c.opts.PongTimeout
		}
	}
	k.timer.Reset(max(next, 0))
}

// silent reports whether the reader has been waiting all the time since the ping. A reader that
// was busy, or that nobody called, says nothing about the client.
func (k *keepAlive) silent() bool {
	now := k.c.transport.waits.Load()
	return now == k.waits && now%2 == 1
}

// ping reports whether pings are still of use.
func (k *keepAlive) ping() bool {
	k.waits = k.c.transport.waits.Load()
	err := k.c.writeControl(websocket.PingMessage, nil)
	if err == nil {
		return true
	}
	if !errors.Is(err, websocket.ErrCloseSent) {
		k.c.drop()
	}
	return false
}
