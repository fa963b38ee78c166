package middleware

import (
	"net/http"
	"time"
)

// Hooks are functions that are told what happens to connections, for metrics and traces. Each
// may be nil, and costs nothing then. They are called on the way of what they report, from many
// goroutines at once, so they should be quick, and must neither read nor write messages. A panic
// of Accepted, Received or Sent ends the connection as one of the handler does.
type Hooks struct {
	// Accepted is called once the handshake was answered with 101, before the handler is.
	Accepted func(c *Conn)

	// Refused is called for a handshake that is answered with another status; the reason is the
	// body of that answer.
	Refused func(r *http.Request, status int, reason string)

	// Received is called for each message that has come in completely, with the size of its
	// payload in bytes after decompression.
	Received func(c *Conn, t MessageType, size int64)

	// Sent is called for each message that has been handed to the network, or is held back under
	// [Batched], with the size of its payload in bytes before compression.
	Sent func(c *Conn, t MessageType, size int64)

	// Closed is called once for each accepted connection, when it has ended: with the close code
	// of the frame that came first, the client's or ours, or 1006 if there was none (RFC 6455
	// §7.1.5); how long the connection was open; and what went wrong, which is nil after an orderly
	// close: the error of a handler that closed with 1011, the violation for which the client was
	// sent away, or the error of the network.
	Closed func(c *Conn, code int, duration time.Duration, err error)
}

// seeConn reports whether a hook gets hold of connections.
func (h *Hooks) seeConn() bool {
	return h.Accepted != nil || h.Received != nil || h.Sent != nil || h.Closed != nil
}

func (c *Conn) hookAccepted() {
	if f := c.opts.Hooks.Accepted; f != nil {
		f(c)
	}
}

func (o *Options) hookRefused(r *http.Request, f *refusal) {
	if hook := o.Hooks.Refused; hook != nil {
		hook(r, f.status, f.reason)
	}
}

func (c *Conn) hookReceived(t MessageType, size int64) {
	if f := c.opts.Hooks.Received; f != nil {
		f(c, t, size)
	}
}

func (c *Conn) hookSent(t MessageType, size int64) {
	if f := c.opts.Hooks.Sent; f != nil {
		f(c, t, size)
	}
}

// hookClosed is called when there is nothing left that a panic could end.
func (c *Conn) hookClosed(code int, duration time.Duration, err error) {
	f := c.opts.Hooks.Closed
	if f == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			c.logPanic(v)
		}
	}()
	f(c, code, duration, err)
}
