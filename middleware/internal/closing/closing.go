// Package closing tracks the closing handshake of a connection (RFC 6455 §7.1).
//
// It takes close frames as errors, and must not know what they contain, nor the connection.
package closing

import (
	"errors"
	"sync"
	"time"
)

// ErrTimeout is returned by [Handshake.Wait] when the closing handshake has taken too long.
var ErrTimeout = errors.New("closing: no close frame within the timeout")

const (
	// A client that sends nothing for drainPause has been drained. One that keeps sending is
	// served for drainLimit.
	drainPause = 50 * time.Millisecond
	drainLimit = time.Second

	// writingPause is after which time the reader looks again whether the close frame was written.
	writingPause = 100 * time.Millisecond

	// lingerTime is how long data after the client's close frame is read and discarded: closing
	// with unread data would reset the connection.
	lingerTime = 100 * time.Millisecond
)

// state is the progress of the closing handshake.
//
//	                    send                    receive
//	┌──────┐       ┌───────────► closeSent ───────────────┐
//	│ open │ ──────┤                                      ▼
//	└──────┘       └───────────► closeReceived ────────► closed
//	 │ drain, fail      receive                  send
//	 ▼
//	draining, failing: the reader is to send a close frame; the rest is as from open.
//	A draining connection may become failing.
//
// Any state becomes lost when the connection breaks or is cut.
//
//	state          we write         we handle                until
//	open           everything       everything
//	draining       everything       everything               the client is quiet, or drainLimit
//	failing        everything       what is received         the reader reads again
//	closeSent      nothing          messages, close frame    the timeout after it is written
//	closeReceived  everything       nothing                  we have sent a close frame
//	closed         nothing          nothing                  lingerTime
//	lost           nothing          nothing
type state uint8

const (
	open state = iota
	draining
	failing
	closeSent
	closeReceived
	closed
	lost
)

// Handshake is the closing handshake of a connection. The zero value is an open connection.
type Handshake struct {
	mu       sync.Mutex
	state    state
	writing  bool      // our close frame is being written, which has a timeout of its own
	byClient bool      // received before sent
	deadline time.Time // of draining, or of the closing handshake; zero for none
	drained  error     // given to the first Drain
	fault    error     // what the reader fails with
	sent     error
	received error
	cause    error // why it was lost first
}

// Drain asks the reader to close the connection with e after all that the client has sent is
// answered. It reports whether the reader must be interrupted.
func (h *Handshake) Drain(e error, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.drained == nil {
		h.drained = e
	}
	if h.state == open {
		h.state, h.deadline = draining, now.Add(drainLimit)
	}
	return h.asked()
}

// Fail asks the reader to fail the connection with e (RFC 6455 §7.1.7). It reports whether the
// reader must be interrupted.
func (h *Handshake) Fail(e error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state == open || h.state == draining {
		h.state, h.fault = failing, e
	}
	return h.asked()
}

func (h *Handshake) asked() bool { return h.state == draining || h.state == failing }

// Send records our close frame, and reports whether it is to be written: only the first one is. The
// timeout is that of the closing handshake, negative for none. It begins anew once the frame was
// written; if writing is true, it does not end before.
func (h *Handshake) Send(e error, now time.Time, timeout time.Duration, writing bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch h.state {
	case open, draining, failing:
		h.state = closeSent
	case closeReceived:
		h.state = closed
	default:
		return false
	}
	h.sent, h.writing = e, writing
	h.setDeadline(now, timeout)
	return true
}

// Written records that our close frame was written.
func (h *Handshake) Written(now time.Time, timeout time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writing = false
	h.setDeadline(now, timeout)
}

func (h *Handshake) setDeadline(now time.Time, timeout time.Duration) {
	h.deadline = time.Time{}
	if timeout > 0 {
		h.deadline = now.Add(timeout)
	}
}

// Receive records the client's close frame.
func (h *Handshake) Receive(e error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.received, h.byClient = e, h.sent == nil
	switch h.state {
	case open, draining, failing:
		h.state = closeReceived
	case closeSent:
		h.state = closed
	}
}

// Unsend records that the close frame could not be sent.
func (h *Handshake) Unsend() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state, h.sent = lost, nil
}

// Lose records that the connection is broken or cut because of err. It returns the first such
// error.
func (h *Handshake) Lose(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state = lost
	if h.cause == nil {
		h.cause = err
	}
	return h.cause
}

// Lost returns the first error given to Lose, or nil.
func (h *Handshake) Lost() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cause
}

// Wait returns until when the reader, which has waited so long already, may wait for input; zero
// means no limit. It returns due if the client is drained and the close frame is to be sent.
func (h *Handshake) Wait(
	now time.Time, waited time.Duration,
) (until time.Time, due bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch h.state {
	case draining:
		due = waited >= drainPause || !now.Before(h.deadline)
		return now.Add(drainPause), due, nil
	case failing:
		return time.Time{}, false, h.fault
	case closeSent, closed:
		if h.writing {
			return now.Add(writingPause), false, nil
		}
		if !h.deadline.IsZero() && !now.Before(h.deadline) {
			return time.Time{}, false, ErrTimeout
		}
		return h.deadline, false, nil
	}
	return time.Time{}, false, nil
}

// LingerDeadline returns until when to wait for the end of the client's stream. After both close
// frames that is soon: a client may wait for the server to close first (RFC 6455 §7.1.1).
func (h *Handshake) LingerDeadline(now time.Time) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	soon := now.Add(lingerTime)
	if h.received != nil && (h.deadline.IsZero() || h.deadline.After(soon)) {
		return soon
	}
	return h.deadline
}

// IsMutual reports whether the client has sent a close frame. By the end, we have too.
func (h *Handshake) IsMutual() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.received != nil
}

// Drained returns what the first Drain was given, or nil.
func (h *Handshake) Drained() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.drained
}

// First returns the first close frame, nil if there was none, and whether the client has sent it.
func (h *Handshake) First() (e error, byClient bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byClient {
		return h.received, true
	}
	return h.sent, false
}
