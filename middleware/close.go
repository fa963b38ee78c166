package middleware

import (
	"errors"
	"fmt"
	"time"

	"example.com/wsecho/middleware/internal/frame"
)

// CloseError is a close code with its reason (RFC 6455 §7.4). The reading methods of [Conn] return
// the client's, with code 1005 if the client gave none and 1006 if it sent no close frame, or that
// of our close frame, such as 1002 after a protocol error. A handler returns a CloseError to close
// with its code.
//
// gorilla/websocket has names for the codes, such as websocket.CloseNormalClosure.
type CloseError struct {
	Code   int
	Reason string // at most 123 bytes are sent
	err    error  // of the network for code 1006, of the handler for 1011
}

// Error returns code and reason in one line.
func (e *CloseError) Error() string {
	switch {
	case e == nil: // as an error that is not nil, of a handler
		return "middleware: nil CloseError"
	case e.err != nil:
		return fmt.Sprintf("middleware: closed with %d: %v", e.Code, e.err)
	}
	return fmt.Sprintf("middleware: closed with %d %q", e.Code, e.Reason)
}

// Unwrap returns the network error that caused code 1006, the panic of a hook that caused 1011, or
// nil.
func (e *CloseError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.err
}

// failedBy returns the close frame for an error or panic of the handler or a hook.
func failedBy(err error) *CloseError {
	return &CloseError{frame.InternalServerErr, "internal server error", err}
}

func goingAway() *CloseError {
	return &CloseError{Code: frame.GoingAway, Reason: "server is shutting down"}
}

// Close starts the closing handshake (RFC 6455 §7.1.2) by sending a close frame, after which
// nothing can be written. It waits for a frame that another goroutine is writing, but not for the
// client's close frame: that, or the CloseTimeout, ends the reading. A reason of more than 123
// bytes is truncated. Close returns an error if the code must not be sent, such as 1005 and 1006;
// if the connection is closing already, the error wraps [net.ErrClosed].
func (c *Conn) Close(code int, reason string) error {
	if !frame.IsCloseCode(code) {
		return fmt.Errorf("middleware: close code %d: must not be sent (RFC 6455 §7.4)", code)
	}
	if !c.sendClose(&CloseError{Code: code, Reason: reason}) {
		return errClosed
	}
	return nil
}

// sendClose sends a close frame, unless one was sent or the connection is lost. It reports whether
// it has.
func (c *Conn) sendClose(e *CloseError) bool {
	return c.beginClose(e) && c.writeClose(e)
}

// beginClose reports whether e is the close frame to send. It wakes the connection if it is parked,
// as it may be while a goroutine of the user reads.
func (c *Conn) beginClose(e *CloseError) bool {
	if !c.closing.Send(e, time.Now(), c.opts.CloseTimeout, c.opts.WriteTimeout >= 0) {
		return false
	}
	// Interrupt before the frame: afterwards it could change the read deadline that Linger sets.
	c.transport.Interrupt()
	return true
}

func (c *Conn) writeClose(e *CloseError) bool {
	if err := c.transport.WriteClose(frame.ClosePayload(e.Code, e.Reason)); err != nil {
		c.closing.Unsend()
		c.drop(err)
		return false
	}
	c.closing.Written(time.Now(), c.opts.CloseTimeout)
	c.cancel()
	return true
}

// closeStatus returns the close frame to send after the handler has returned err.
func (c *Conn) closeStatus(err error) *CloseError {
	var closeErr *CloseError
	switch {
	case err == nil:
		if drained, ok := c.closing.Drained().(*CloseError); ok {
			return drained
		}
		return &CloseError{Code: frame.NormalClosure}
	case errors.As(err, &closeErr) && closeErr != nil && frame.IsCloseCode(closeErr.Code):
		return closeErr
	}
	return failedBy(err)
}

// drop closes the connection without a closing handshake, because of err. It returns the error that
// it was dropped for first.
func (c *Conn) drop(err error) error {
	err = c.closing.Lose(err)
	c.cancel()
	c.transport.Interrupt()
	_ = c.transport.Close()
	return err
}

// fail makes the reader fail the connection with e.
func (c *Conn) fail(e *CloseError) {
	if c.closing.Fail(e) {
		c.transport.Interrupt()
	}
}

// drain makes the reader close the connection with e after all that the client has sent is
// answered.
func (c *Conn) drain(e *CloseError) {
	if c.closing.Drain(e, time.Now()) {
		c.transport.Interrupt()
	}
}
