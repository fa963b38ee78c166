package middleware

import (
	"sync"
	"time"

	"example.com/wsecho/middleware/internal/frame"
)

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

// closeState is the progress of the closing handshake.
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
//	closeSent      nothing          messages, close frame    CloseTimeout after it is written
//	closeReceived  everything       nothing                  we have sent a close frame
//	closed         nothing          nothing                  lingerTime
//	lost           nothing          nothing
type closeState uint8

const (
	open closeState = iota
	draining
	failing
	closeSent
	closeReceived
	closed
	lost
)

// closing is the closing handshake of a connection.
type closing struct {
	mu       sync.Mutex
	state    closeState
	deadline time.Time   // of draining, or of the closing handshake; zero for none
	writing  bool        // our close frame is being written, which has a timeout of its own
	drained  bool        // drain was called
	fault    *CloseError // what the reader fails with
	sent     *CloseError
	received *CloseError
	byClient bool  // received before sent
	cause    error // why it was lost first
}

// drain asks the reader to close the connection after all that the client has sent is answered. It
// reports whether the reader must be interrupted.
func (cl *closing) drain(now time.Time) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.drained = true
	if cl.state == open {
		cl.state, cl.deadline = draining, now.Add(drainLimit)
	}
	return cl.asked()
}

// fail asks the reader to fail the connection with e (RFC 6455 §7.1.7). It reports whether the
// reader must be interrupted.
func (cl *closing) fail(e *CloseError) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.state == open || cl.state == draining {
		cl.state, cl.fault = failing, e
	}
	return cl.asked()
}

func (cl *closing) asked() bool { return cl.state == draining || cl.state == failing }

// send records our close frame, and reports whether it is to be written: only the first one is. The
// timeout is that of the closing handshake, negative for none. It begins anew once the frame was
// written; if writing is true, it does not end before.
func (cl *closing) send(e *CloseError, now time.Time, timeout time.Duration, writing bool) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	switch cl.state {
	case open, draining, failing:
		cl.state = closeSent
	case closeReceived:
		cl.state = closed
	default:
		return false
	}
	cl.sent, cl.writing = e, writing
	cl.setDeadline(now, timeout)
	return true
}

// written records that our close frame was written.
func (cl *closing) written(now time.Time, timeout time.Duration) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.writing = false
	cl.setDeadline(now, timeout)
}

func (cl *closing) setDeadline(now time.Time, timeout time.Duration) {
	cl.deadline = time.Time{}
	if timeout > 0 {
		cl.deadline = now.Add(timeout)
	}
}

// receive records the client's close frame.
func (cl *closing) receive(e *CloseError) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.received, cl.byClient = e, cl.sent == nil
	switch cl.state {
	case open, draining, failing:
		cl.state = closeReceived
	case closeSent:
		cl.state = closed
	}
}

// unsend records that the close frame could not be sent.
func (cl *closing) unsend() {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.state, cl.sent = lost, nil
}

// lose records that the connection is broken or cut because of err. It returns the first such
// error.
func (cl *closing) lose(err error) error {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.state = lost
	if cl.cause == nil {
		cl.cause = err
	}
	return cl.cause
}

// wait returns until when the reader, which has waited so long already, may wait for input; zero
// means no limit. It returns due if the client is drained and the close frame is to be sent.
func (cl *closing) wait(
	now time.Time, waited time.Duration,
) (until time.Time, due bool, err error) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	switch cl.state {
	case draining:
		due = waited >= drainPause || !now.Before(cl.deadline)
		return now.Add(drainPause), due, nil
	case failing:
		return time.Time{}, false, cl.fault
	case closeSent, closed:
		if cl.writing {
			return now.Add(writingPause), false, nil
		}
		if !cl.deadline.IsZero() && !now.Before(cl.deadline) {
			return time.Time{}, false, errCloseTimeout
		}
		return cl.deadline, false, nil
	}
	return time.Time{}, false, nil
}

// lingerDeadline returns until when to wait for the end of the client's stream. After both close
// frames that is soon: a client may wait for the server to close first (RFC 6455 §7.1.1).
func (cl *closing) lingerDeadline(now time.Time) time.Time {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	soon := now.Add(lingerTime)
	if cl.received != nil && (cl.deadline.IsZero() || cl.deadline.After(soon)) {
		return soon
	}
	return cl.deadline
}

// isMutual reports whether the client has sent a close frame. By the end, we have too.
func (cl *closing) isMutual() bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return cl.received != nil
}

func (cl *closing) isDrained() bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return cl.drained
}

// info returns code and reason of the first close frame.
func (cl *closing) info() CloseInfo {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	switch {
	case cl.byClient:
		return CloseInfo{Code: cl.received.Code, Reason: cl.received.Reason, ByClient: true}
	case cl.sent != nil:
		return CloseInfo{Code: cl.sent.Code, Reason: cl.sent.Reason}
	}
	return CloseInfo{Code: frame.AbnormalClosure}
}
