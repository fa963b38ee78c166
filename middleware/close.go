package middleware

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// CloseError is a close code with its reason (RFC 6455 §7.4). Reading from a [Conn] ends with
// one: the client's; or 1005 if the client gave no code, 1006 if it went without a close frame;
// or that with which the client was sent away, as 1002 for a violation of the protocol. A
// handler returns one to close with that code.
//
// gorilla/websocket has names for the codes, from websocket.CloseNormalClosure on.
type CloseError struct {
	Code   int
	Reason string // at most 123 bytes of it are sent
	err    error  // what the connection broke with
}

// Error returns code and reason in one line.
func (e *CloseError) Error() string {
	if e.err != nil {
		return fmt.Sprintf("middleware: closed with %d: %v", e.Code, e.err)
	}
	return fmt.Sprintf("middleware: closed with %d %q", e.Code, e.Reason)
}

// Unwrap returns the error of the network behind a code 1006, if there was one.
func (e *CloseError) Unwrap() error { return e.err }

var errInternal = &CloseError{
	Code:   websocket.CloseInternalServerErr,
	Reason: "internal server error",
}

const (
	goingAway = "server is shutting down"

	// drainPause is how long a client must have been quiet for all it has sent before the
	// shutdown to count as received, and drainLimit how long one that is never quiet is served.
	drainPause = 50 * time.Millisecond
	drainLimit = time.Second

	// lingerTime is how long what a client has sent behind its close frame is still taken from
	// the network, lest it reset the connection.
	lingerTime = 100 * time.Millisecond
)

// closing is how far the end of a connection has come.
type closing struct {
	mu       sync.Mutex
	sent     *CloseError
	received *CloseError
	byClient bool        // received before sent
	by       time.Time   // the end of the closing handshake; zero for no limit
	fault    *CloseError // why reading has to stop
	drainBy  time.Time   // once the middleware shuts down
	lost     bool
}

// begin records the close frame that is to be sent, and reports whether it is the first.
func (cl *closing) begin(e *CloseError, timeout time.Duration) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.sent != nil || cl.lost {
		return false
	}
	cl.sent = e
	if timeout > 0 {
		cl.by = time.Now().Add(timeout)
	}
	return true
}

// receive records the client's close frame.
func (cl *closing) receive(e *CloseError) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.received, cl.byClient = e, cl.sent == nil
}

// takeBack records that the close frame could not be sent.
func (cl *closing) takeBack() {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.sent, cl.lost = nil, true
}

// setFault and setDraining report whether there is still something to be closed.
func (cl *closing) setFault(e *CloseError) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.fault = e
	return cl.sent == nil
}

func (cl *closing) setDraining() bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.drainBy = time.Now().Add(drainLimit)
	return cl.sent == nil
}

func (cl *closing) deadline() time.Time {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return cl.by
}

// lingerDeadline is until when the client may take to end its stream. After both close frames
// nothing more is to come: a client that waits for the server to go first, as RFC 6455 §7.1.1
// has it, is not made to wait.
func (cl *closing) lingerDeadline() time.Time {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	soon := time.Now().Add(lingerTime)
	if cl.received != nil && (cl.by.IsZero() || cl.by.After(soon)) {
		return soon
	}
	return cl.by
}

// isMutual reports whether the client has sent a close frame.
func (cl *closing) isMutual() bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return cl.received != nil
}

func (cl *closing) isDraining() bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return !cl.drainBy.IsZero()
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
	return CloseInfo{Code: websocket.CloseAbnormalClosure}
}

// Close starts the closing handshake (RFC 6455 §7.1.2) with a close frame; after it nothing can
// be written. It does not wait for the client's: that ends the reading, or the CloseTimeout
// does. A reason of more than 123 bytes is cut off. The error is that of a code which must not be
// sent, as 1005 and 1006, or net.ErrClosed if the connection is closing already.
func (c *Conn) Close(code int, reason string) error {
	if !isCloseCode(code) {
		return fmt.Errorf("middleware: close code %d: must not be sent (RFC 6455 §7.4)", code)
	}
	if !c.sendClose(&CloseError{Code: code, Reason: reason}) {
		return errClosed
	}
	return nil
}

// sendClose sends the close frame unless there is no more need, and reports whether it has.
func (c *Conn) sendClose(e *CloseError) bool {
	if !c.closing.begin(e, c.opts.CloseTimeout) {
		return false
	}
	// Before the frame, for what the client answers must not find lingering cut short.
	c.interrupt()
	return c.writeClose(e)
}

// answerClose sends the close frame for a reader that has come to the end, so that there is nobody
// to be interrupted.
func (c *Conn) answerClose(e *CloseError) {
	if c.closing.begin(e, c.opts.CloseTimeout) {
		c.writeClose(e)
	}
}

func (c *Conn) writeClose(e *CloseError) bool {
	err := c.writeControl(websocket.CloseMessage, closePayload(e))
	if err == nil {
		err = c.transport.out.release()
	}
	if err != nil {
		c.closing.takeBack()
		c.drop()
		return false
	}
	c.cancel()
	return true
}

// closePayload is empty for code 1005, which is never sent (RFC 6455 §7.4.1).
func closePayload(e *CloseError) []byte {
	if e.Code == websocket.CloseNoStatusReceived {
		return nil
	}
	payload := binary.BigEndian.AppendUint16(make([]byte, 0, maxControlPayload), uint16(e.Code))
	reason := strings.ToValidUTF8(e.Reason, string(utf8.RuneError))
	end := min(len(reason), maxControlPayload-len(payload))
	for end < len(reason) && !utf8.RuneStart(reason[end]) {
		end--
	}
	return append(payload, reason[:end]...)
}

// closeStatus is how a connection closes whose handler has returned err.
func (c *Conn) closeStatus(err error) *CloseError {
	var closeErr *CloseError
	switch {
	case err == nil && c.closing.isDraining():
		return &CloseError{Code: websocket.CloseGoingAway, Reason: goingAway}
	case err == nil:
		return &CloseError{Code: websocket.CloseNormalClosure}
	case errors.As(err, &closeErr) && isCloseCode(closeErr.Code):
		return closeErr
	}
	return errInternal
}

// drop gives up a connection that is of no more use.
func (c *Conn) drop() {
	c.closing.mu.Lock()
	c.closing.lost = true
	c.closing.mu.Unlock()
	c.cancel()
	c.interrupt()
	_ = c.transport.Close()
}

// interrupt has whoever reads ask onReadTimeout, and somebody read if nobody does.
func (c *Conn) interrupt() {
	c.transport.interrupt()
	c.lot.take(c)
}

// fail has the reader end the connection with e.
func (c *Conn) fail(e *CloseError) {
	if c.closing.setFault(e) {
		c.interrupt()
	}
}

// drain has the reader close the connection once everything that the client had sent is
// answered.
func (c *Conn) drain() {
	if c.closing.setDraining() {
		c.interrupt()
	}
}

// onReadTimeout decides for a read that was interrupted, see transport.
func (c *Conn) onReadTimeout(waited time.Duration) (time.Time, error) {
	c.closing.mu.Lock()
	sent, fault := c.closing.sent, c.closing.fault
	by, drainBy := c.closing.by, c.closing.drainBy
	c.closing.mu.Unlock()
	now := time.Now()
	switch {
	case sent != nil && !by.IsZero() && now.After(by):
		return time.Time{}, errCloseTimeout
	case sent != nil:
		return by, nil
	case fault != nil:
		return time.Time{}, fault
	case drainBy.IsZero():
		return time.Time{}, nil
	case waited < drainPause && now.Before(drainBy):
		return now.Add(drainPause), nil
	}
	c.sendClose(&CloseError{Code: websocket.CloseGoingAway, Reason: goingAway})
	return c.closing.deadline(), nil
}

var errCloseTimeout = errors.New("middleware: no close frame within the CloseTimeout")
