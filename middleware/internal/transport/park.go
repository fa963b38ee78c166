package transport

import (
	"time"

	"example.com/wsecho/middleware/internal/poll"
)

// A connection needs no goroutine between two messages; its stack would be most of the memory. If
// it is woken before worthParking, it waits twice as long before it is parked again.
const (
	maxIdleAfter = 5 * time.Second
	worthParking = 10 * time.Second
)

// idleTime returns how long the reader waits before it is parked.
func (r *reader) idleTime() time.Duration {
	return min(r.idleAfter<<r.idleDoubled, maxIdleAfter)
}

// Park registers the connection with the poller after [ErrIdle]. wake is called when there is input
// or the reader is interrupted; it must not block. Then the reader continues with Await. Park
// returns false if wake will not be called.
func (t *Transport) Park(p *poll.Poller, wake func()) bool {
	r := &t.reader
	r.poller.Store(p)
	if err := p.Add(&r.parked, t.raw.conn, wake); err != nil {
		r.parkFailed.Store(true)
		return false
	}
	// An Interrupt before the registration has not called wake.
	return !r.interrupted() || !p.Remove(&r.parked)
}

func (r *reader) unparked(after time.Duration) {
	switch {
	case after >= worthParking:
		r.idleDoubled = 0
	case r.idleTime() < maxIdleAfter:
		r.idleDoubled++
	}
}

// mayIdle reports whether Await may return ErrIdle.
func (r *reader) mayIdle() bool {
	return r.mayPark && r.idleAfter > 0 && !r.parkFailed.Load()
}

// setIdleDeadline sets a new deadline only when half of the last one is over, to save timers.
func (t *Transport) setIdleDeadline() error {
	r := &t.reader
	if !r.mayIdle() || r.interrupted() {
		return nil
	}
	idle := r.idleTime()
	if time.Until(r.idleDeadline) > idle/2 {
		return nil
	}
	r.idleDeadline = time.Now().Add(idle)
	return t.setReadDeadline(r.idleDeadline, 0)
}

// idleDeadlineExceeded returns ErrIdle if the reader waits between two messages, and a violation if
// it waits too long within one. Otherwise the deadline is left over from an earlier wait.
func (t *Transport) idleDeadlineExceeded() error {
	r := &t.reader
	if err := r.slow.messageDeadlineExceeded(); err != nil {
		return err
	}
	err := t.setReadDeadline(time.Time{}, 0)
	if err == nil && r.mayIdle() && r.waiting() {
		return ErrIdle // The deadline is kept: it is when the reader was parked.
	}
	r.idleDeadline = time.Time{}
	return err
}
