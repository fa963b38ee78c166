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
	size    int           // of the current unit so far
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
	r.idleDeadline = time.Time{} // This is another one.
	return t.setReadDeadline(s.began.Add(s.timeout-s.waited), 0)
}

// received is called after each read, with the number of bytes.
func (s *slowness) received(n int) {
	if !s.began.IsZero() {
		s.waited += time.Since(s.began)
		s.began = time.Time{}
	}
	if s.size += n; s.size >= messageUnit {
		s.reset()
	}
}

// reset is called at the end of a message or unit.
func (s *slowness) reset() { s.waited, s.size = 0, 0 }

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
