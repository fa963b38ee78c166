package middleware

import (
	"net/http"
	"time"

	"example.com/wsecho/middleware/internal/handshake"
)

// Hooks are functions that are called for events of connections, for metrics. Each may be nil. They
// are called synchronously, from many goroutines concurrently, so they must return quickly, and
// must neither read nor write messages. A panic of Accepted, Received or Sent ends the connection
// like a panic of the handler.
type Hooks struct {
	// Accepted is called after the handshake was answered with 101, over HTTP/2 and HTTP/3 with
	// 200, and before the handler.
	Accepted func(c *Conn)

	// Refused is called after a handshake was refused with status 400, 403, 405, 426, 500, 503 or
	// 505. The reason is the body of the response. It may quote the request, so do not use it as
	// the label of a metric.
	Refused func(r *http.Request, status int, reason string)

	// Received is called for each message that was received completely, including discarded ones.
	// The size is that of the payload, in bytes after decompression.
	Received func(c *Conn, t MessageType, size int64)

	// Sent is called for each message that was written to the network or is held back by [Batched].
	// The size is that of the payload, in bytes before compression. If other goroutines than the
	// handler's write, it may be called after Closed.
	Sent func(c *Conn, t MessageType, size int64)

	// Closed is called once for each accepted connection, after it has ended.
	Closed func(c *Conn, info CloseInfo)
}

// CloseInfo describes how a connection has ended.
type CloseInfo struct {
	// Code and Reason are those of the first close frame (RFC 6455 §7.1.5), which is the client's
	// if ByClient is true. Without a close frame the code is 1006. A client may send any reason.
	Code     int
	Reason   string
	ByClient bool

	// Duration is the lifetime of the connection, including the closing handshake.
	Duration time.Duration

	// Received and Sent are the payload bytes of all messages, uncompressed.
	Received, Sent int64

	// Err is nil after an orderly close. Otherwise it is the error or panic of a handler or hook
	// that closed with 1011, a protocol error of the client, or an error of the network.
	Err error
}

// seeConn reports whether a hook is passed connections.
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

// hookMessage calls a hook for a message. It may run on a goroutine that does not recover panics.
func (c *Conn) hookMessage(f func(*Conn, MessageType, int64), t MessageType, size int64) error {
	if f == nil {
		return nil
	}
	return c.recoverPanic(func() { f(c, t, size) })
}

func (c *Conn) hookClosed(info CloseInfo) {
	if f := c.opts.Hooks.Closed; f != nil {
		_ = c.recoverPanic(func() { f(c, info) })
	}
}
