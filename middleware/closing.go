package middleware

import (
	"sync"
	"time"

	"example.com/wsecho/middleware/internal/frame"
)

const (
	// drainPause is how long a client must have been quiet for all it has sent before the
	// shutdown to count as received, and drainLimit how long one that is never quiet is served.
	drainPause = 50 * time.Millisecond
	drainLimit = time.Second

	// lingerTime is how long what a client has sent behind its close frame is still taken from
	// the network, lest it reset the connection.
	lingerTime = 100 * time.Millisecond
)

// closeState says how far the end of a connection has come:
//
//	                    send                    receive
//	┌──────┐       ┌───────────► closeSent ───────────────┐
//	│ open │ ──────┤                                      ▼
//	└──────┘       └───────────► closeReceived ────────► closed
//	 │ drain, fail      receive                  send
//	 ▼
//	draining, failing: the reader has been asked to send a close frame; then as from open
//
// A connection that breaks or is cut is lost, whatever it was before.
//
//	state          we may write     of what comes in    until
//	open           everything       all is handled
//	draining       everything       all is handled      the client is quiet, or drainLimit
//	failing        a close frame    nothing             the reader sees it
//	closeSent      nothing          a close frame       CloseTimeout
//	closeReceived  a close frame    nothing             it is sent
//	closed         nothing          nothing             lingerTime
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

// closing is the end of a connection: its state, and what is known about how it came.
type closing struct {
	mu       sync.Mutex
	state    closeState
	deadline time.Time   // of draining, or of the closing handshake; zero for none
	drained  bool        // drain was called
	fault    *CloseError // what the reader is to fail with
	sent     *CloseError
	received *CloseError
	byClient bool // received before sent
}

// drain asks the reader to close the connection once all that the client had sent is answered. It
// reports whether there is a reader to be interrupted.
func (cl *closing) drain(now time.Time) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.drained = true
	if cl.state == open {
		cl.state, cl.deadline = draining, now.Add(drainLimit)
	}
	return cl.asked()
}

// fail asks the reader to fail the connection with e (RFC 6455 §7.1.7). It reports whether there
// is a reader to be interrupted.
func (cl *closing) fail(e *CloseError) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.state == open || cl.state == draining {
		cl.state, cl.fault = failing, e
	}
	return cl.asked()
}

func (cl *closing) asked() bool { return cl.state == draining || cl.state == failing }

// send records the close frame that is about to be sent, and reports whether it is the first. The
// timeout is that of the closing handshake, negative for none.
func (cl *closing) send(e *CloseError, now time.Time, timeout time.Duration) bool {
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
	cl.sent, cl.deadline = e, time.Time{}
	if timeout > 0 {
		cl.deadline = now.Add(timeout)
	}
	return true
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

// lose records that the connection is broken or cut.
func (cl *closing) lose() {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.state = lost
}

// wait tells the reader, which has had nothing to read for as long as waited, until when to wait
// for more; zero is for no limit. If the client counts as drained, the close frame is due instead.
func (cl *closing) wait(now time.Time, waited time.Duration) (until time.Time, due bool, err error) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	switch cl.state {
	case draining:
		due = waited >= drainPause || !now.Before(cl.deadline)
		return now.Add(drainPause), due, nil
	case failing:
		return time.Time{}, false, cl.fault
	case closeSent, closed:
		if !cl.deadline.IsZero() && !now.Before(cl.deadline) {
			return time.Time{}, false, errCloseTimeout
		}
		return cl.deadline, false, nil
	}
	return time.Time{}, false, nil
}

// lingerDeadline is until when the client may take to end its stream. After both close frames
// nothing more is to come: a client that waits for the server to go first, as RFC 6455 §7.1.1
// has it, is not made to wait.
func (cl *closing) lingerDeadline(now time.Time) time.Time {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	soon := now.Add(lingerTime)
	if cl.received != nil && (cl.deadline.IsZero() || cl.deadline.After(soon)) {
		return soon
	}
	return cl.deadline
}

// isMutual reports whether the client has sent a close frame.
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

// info is what the first close frame said.
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
