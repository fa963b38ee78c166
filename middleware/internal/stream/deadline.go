package stream

import (
	"sync"
	"time"
)

// deadline closes a channel when it is exceeded. The zero value has no deadline.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer   // nil if no deadline is to come
	over  chan struct{} // closed once the deadline is exceeded; nil if nobody has asked
}

// set sets the deadline, zero for none.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if isClosed(d.over) {
		d.over = nil
	}
	if t.IsZero() {
		return
	}
	if wait := time.Until(t); wait > 0 {
		d.start(wait)
	} else {
		d.exceed()
	}
}

func (d *deadline) start(wait time.Duration) {
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.timer == timer { // Stop may have been too late.
			d.timer = nil
			d.exceed()
		}
	})
	d.timer = timer
}

func (d *deadline) exceed() {
	if d.over == nil {
		d.over = make(chan struct{})
	}
	close(d.over)
}

// channel returns a channel that is closed when the deadline is exceeded, also one set later.
func (d *deadline) channel() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over == nil {
		d.over = make(chan struct{})
	}
	return d.over
}

func (d *deadline) exceeded() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return isClosed(d.over)
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default: // also if c is nil
		return false
	}
}
