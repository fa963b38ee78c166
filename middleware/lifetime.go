package middleware

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// lifetime ends a connection that is too old, or whose credentials have ended.
type lifetime struct {
	mu      sync.Mutex
	age     *time.Timer // nil if there is no limit
	expiry  *time.Timer // nil if the credentials do not end
	stopped bool
	expired atomic.Bool // What the client sends is discarded until it answers the close frame.
}

const statusUnauthorized = 3000 // of the IANA registry of close codes

func (c *Conn) startMaxAge() {
	if age := c.opts.MaxAge; age > 0 {
		spread := 0.9 + 0.2*rand.Float64()
		c.lifetime.set(&c.lifetime.age, time.Duration(float64(age)*spread), func() {
			c.drain(&CloseError{Code: goingAway().Code, Reason: "the connection has reached its maximum age"})
		})
	}
}

// SetExpiry sets when the credentials of the connection end, as [Options.Expires] does: it is then
// closed with code 3000, and the handler gets no more messages. A zero time means never. After the
// time has come, a later one changes nothing, and the reply to a message being handled may be lost.
func (c *Conn) SetExpiry(t time.Time) {
	wait := time.Duration(-1)
	if !t.IsZero() {
		wait = max(time.Until(t), 0)
	}
	if wait == 0 {
		c.lifetime.expired.Store(true) // now, not when the timer's goroutine runs
	}
	c.lifetime.set(&c.lifetime.expiry, wait, func() {
		c.lifetime.expired.Store(true)
		c.sendClose(&CloseError{Code: statusUnauthorized, Reason: "the credentials have expired"})
	})
}

// set replaces the timer. A negative wait is for ever.
func (l *lifetime) set(timer **time.Timer, wait time.Duration, f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.expired.Load() {
		wait = 0 // The timer that is replaced may not have fired.
	}
	if *timer != nil {
		(*timer).Stop()
		*timer = nil
	}
	if wait >= 0 && !l.stopped {
		*timer = time.AfterFunc(wait, f)
	}
}

func (l *lifetime) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	for _, timer := range []*time.Timer{l.age, l.expiry} {
		if timer != nil {
			timer.Stop()
		}
	}
}
