package middleware

import (
	"errors"
	"fmt"
	"time"

	"example.com/wsecho/middleware/internal/frame"
	"github.com/gorilla/websocket"
)

// CloseError is a close code with its reason (RFC 6455 §7.4). Reading from a [Conn] ends with
// one: the client's; or 1005 if the client gave no code, 1006 if it went without a close frame;
// or that with which the connection was failed, as 1002 for a violation of the protocol. A
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

var errInternal = &CloseError{Code: frame.InternalServerErr, Reason: "internal server error"}

var errCloseTimeout = errors.New("middleware: no close frame within the CloseTimeout")

func goingAway() *CloseError {
	return &CloseError{Code: frame.GoingAway, Reason: "server is shutting down"}
}

// Close starts the closing handshake (RFC 6455 §7.1.2) with a close frame; after it nothing can
// be written. It does not wait for the client's: that ends the reading, or the CloseTimeout
// does. A reason of more than 123 bytes is cut off. The error is that of a code which must not be
// sent, as 1005 and 1006, or net.ErrClosed if the connection is closing already.
func (c *Conn) Close(code int, reason string) error {
	if !frame.IsCloseCode(code) {
		return fmt.Errorf("middleware: close code %d: must not be sent (RFC 6455 §7.4)", code)
	}
	if !c.sendClose(&CloseError{Code: code, Reason: reason}) {
		return errClosed
	}
	return nil
}

// sendClose sends the close frame unless there is no more need, and reports whether it has.
func (c *Conn) sendClose(e *CloseError) bool {
	if !c.closing.send(e, time.Now(), c.opts.CloseTimeout) {
		return false
	}
	// Before the frame: once the client answers it, Linger's read deadline must stand.
	c.transport.Interrupt()
	return c.writeClose(e)
}

// answerClose sends the close frame for a reader that has come to the end, so that there is nobody
// to be interrupted.
func (c *Conn) answerClose(e *CloseError) {
	if c.closing.send(e, time.Now(), c.opts.CloseTimeout) {
		c.writeClose(e)
	}
}

func (c *Conn) writeClose(e *CloseError) bool {
	err := c.writeControl(websocket.CloseMessage, frame.ClosePayload(e.Code, e.Reason))
	if err == nil {
		err = c.transport.Release()
	}
	if err != nil {
		c.closing.unsend()
		c.drop()
		return false
	}
	c.cancel()
	return true
}

// closeStatus is how a connection closes whose handler has returned err.
func (c *Conn) closeStatus(err error) *CloseError {
	var closeErr *CloseError
	switch {
	case err == nil && c.closing.isDrained():
		return goingAway()
	case err == nil:
		return &CloseError{Code: frame.NormalClosure}
	case errors.As(err, &closeErr) && frame.IsCloseCode(closeErr.Code):
		return closeErr
	}
	return errInternal
}

// drop gives up a connection that is of no more use.
func (c *Conn) drop() {
	c.closing.lose()
	c.cancel()
	c.transport.Interrupt()
	_ = c.transport.Close()
}

// fail has the reader fail the connection with e.
func (c *Conn) fail(e *CloseError) {
	if c.closing.fail(e) {
		c.transport.Interrupt()
	}
}

// drain has the reader close the connection once everything that the client had sent is
// answered.
func (c *Conn) drain() {
	if c.closing.drain(time.Now()) {
		c.transport.Interrupt()
	}
}

// readInterrupted decides for a read that has to wait, see transport.Owner.
func (c *Conn) readInterrupted(waited time.Duration) (time.Time, error) {
	until, due, err := c.closing.wait(time.Now(), waited)
	if due {
		c.sendClose(goingAway())
		until, _, err = c.closing.wait(time.Now(), 0)
	}
	return until, err
}
