package middleware

import (
	"net/http"
	"time"

	"example.com/wsecho/middleware/internal/handshake"
)

// Hooks are functions that are told what happens to connections, for metrics. Each may be nil,
// and costs nothing then. They are called on the way of what they report, from many goroutines at
// once, so they should be quick, and must neither read nor write messages. A panic of Accepted,
// Received or Sent ends the connection as one of the handler does.
type Hooks struct {
	// Accepted is called once the handshake was answered with 101, before the handler is.
	Accepted func(c *Conn)

	// Refused is called for a handshake that was answered with another status: 400, 403, 405, 426,
	// 500, 503 or 505. The reason is the body of that answer. It may quote the request, so it is
	// for logs, not for the label of a metric.
	Refused func(r *http.Request, status int, reason string)

	// Received is called for each message that has come in completely, even if nobody wanted it,
	// with the size of its payload in bytes after decompression.
	Received func(c *Conn, t MessageType, size int64)

	// Sent is called for each message that has been handed to the network, or is held back under
	// [Batched], with the size of its payload in bytes before compression. Where other goroutines
	// than the handler's write, it may come after Closed.
	Sent func(c *Conn, t MessageType, size int64)

	// Closed is called once for each accepted connection, when it has ended.
	Closed func(c *Conn, info CloseInfo)
}

// CloseInfo says how a connection has ended.
type CloseInfo struct {
	// Code and Reason are those of the close frame that came first (RFC 6455 §7.1.5), the
	// client's if ByClient; without any, the code is 1006. A client picks both freely.
	Code     int
	Reason   string
	ByClient bool

	// Duration is how long the connection took, its closing handshake included.
	Duration time.Duration

	// Received and Sent are the bytes of payload of all messages, as if uncompressed.
	Received, Sent int64

	// Err is what went wrong, nil after an orderly close: the error or panic of a handler that
	// closed with 1011, the violation for which the client was sent away, the error of the
	// network.
	Err error
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

func (o *Options) hookRefused(r *http.Request, refused *handshake.Refusal) {
	if hook := o.Hooks.Refused; hook != nil {
		hook(r, refused.Status, refused.Reason)
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
func (c *Conn) hookClosed(info CloseInfo) {
	f := c.opts.Hooks.Closed
	if f == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			c.logPanic(v)
		}
	}()
	f(c, info)
}
