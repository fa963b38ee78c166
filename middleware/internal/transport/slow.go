package transport

import (
	"fmt"
	"time"

	"example.com/wsecho/middleware/internal/frame"
)

// messageUnit is how many bytes of a message the ReadTimeout is for.
const messageUnit = 256 << 10

// slowness measures how long the reader has waited for a part of a message.
type slowness struct {
	timeout time.Duration // for each messageUnit; negative or zero for none
	began   time.Time     // of the current wait; zero if the reader does not wait within a message
	waited  time.Duration // before the current wait, for the current unit
	unit    uint64        // payload bytes of the message before the current unit
}

// startWaitingInMessage sets the deadline for the rest of the current unit.
func (t *Transport) startWaitingInMessage() error {
	r, s := &t.reader, &t.reader.slow
	if s.timeout <= 0 || !t.guard.InMessage() || r.interrupted() {
		return nil
	}
	now := time.Now()
	if s.began.IsZero() {
		s.began = now
	}
	r.idleDeadline = time.Time{} // replaced by the one of the message
	return t.setReadDeadline(s.began.Add(s.timeout-s.waited), 0)
}

// stop is called after each read.
func (s *slowness) stop() {
	if !s.began.IsZero() {
		s.waited += time.Since(s.began)
		s.began = time.Time{}
	}
}

// received is called with how many payload bytes of the current message have come in. Other bytes
// do not count: pings and headers of small fragments are no progress.
func (s *slowness) received(n uint64) {
	if n-s.unit >= messageUnit {
		s.waited, s.unit = 0, n
	}
}

// reset is called at the end of a message.
func (s *slowness) reset() { s.waited, s.unit = 0, 0 }

// messageDeadlineExceeded returns a violation if the current unit takes too long.
func (s *slowness) messageDeadlineExceeded() error {
	if s.began.IsZero() || s.waited+time.Since(s.began) < s.timeout {
		return nil
	}
	return &frame.Violation{
		Code:   frame.PolicyViolation,
		Reason: fmt.Sprintf("message slower than 256 KiB in %v", s.timeout),
	}
}
