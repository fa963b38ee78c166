package transport

import (
	"time"

	"example.com/wsecho/middleware/internal/poll"
)

// A connection between two messages needs no goroutine, whose stack would be most of what it
// costs. One that was parked too briefly to be worth it is given twice the time before the next.
const (
	maxIdleAfter = 5 * time.Second
	worthParking = 10 * time.Second
)

// idleTime is how long the reader waits before it is parked.
func (r *reader) idleTime() time.Duration {
	return min(r.idleAfter<<r.idleDoubled, maxIdleAfter)
}

// Park has wake called, in place of a goroutine that waits, when there is something to read or the
// reader is interrupted. It reports whether it does. It follows an [ErrIdle]; once wake is called,
// Await goes on. wake must not wait for anything.
func (t *Transport) Park(p *poll.Poller, wake func()) bool {
	r, began := &t.reader, time.Now()
	r.poller.Store(p)
	err := p.Add(&r.parked, t.in.raw.conn, func() {
		r.unparked(time.Since(began))
		wake()
	})
	if err != nil {
		return false
	}
	// An Interrupt that came before the registration has not woken anybody.
	return !r.interrupted.Load() || !p.Remove(&r.parked)
}

func (r *reader) unparked(after time.Duration) {
	switch {
	case after >= worthParking:
		r.idleDoubled = 0
	case r.idleTime() < maxIdleAfter:
		r.idleDoubled++
	}
}

// setIdleDeadline leaves alone a deadline that is still far off, as setDeadline does.
func (t *Transport) setIdleDeadline() error {
	r := &t.reader
	if !r.between || r.idleAfter == 0 || r.interrupted.Load() {
		return nil
	}
	idle := r.idleTime()
	if time.Until(r.idleBy) > idle/2 {
		return nil
	}
	r.idleBy = time.Now().Add(idle)
	return t.setReadDeadline(r.idleBy)
}

// idleDeadlineExceeded returns ErrIdle if the reader has waited between two messages. If it has
// only begun to wait, the deadline was that of a wait before.
func (t *Transport) idleDeadlineExceeded() error {
	r := &t.reader
	r.idleBy = time.Time{}
	err := t.setReadDeadline(time.Time{})
	if err == nil && r.between && r.waiting() {
		return ErrIdle
	}
	return err
}
