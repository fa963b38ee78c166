package middleware

import (
	"net/http"
	"time"

	"example.com/wsecho/middleware/internal/handshake"
)

// Hooks are functions that are called for events of connections, for metrics. Each may be nil. They
// are called synchronously, from many goroutines concurrently, so they must return quickly, and
// must neither read nor write messages. A panic of Accepted, Received, Sent or Pong ends the
// connection like a panic of the handler. [JoinHooks] combines hooks.
type Hooks struct {
	// Accepted is called after the handshake was answered with 101, over HTTP/2 and HTTP/3 with
	// 200, and before the handler.
	Accepted func(c *Conn)

	// Refused is called after a handshake was refused with status 400, 403, 405, 426, 429, 500, 503
	// or 505. The reason is the body of the response. It may quote the request, so do not use it as
	// the label of a metric.
	Refused func(r *http.Request, status int, reason string)

	// Received is called for each message that was received completely, including discarded ones.
	// The size is that of the payload, in bytes after decompression.
	Received func(c *Conn, t MessageType, size int64)

	// Sent is called for each message that was written to the network or is held back by [Batched].
	// The size is that of the payload, in bytes before compression. If other goroutines than the
	// handler's write, it may be called after Closed.
	Sent func(c *Conn, t MessageType, size int64)

	// Pong is called with the round trip time of a ping, when its pong is received. With it, pings
	// have a payload of 8 bytes.
	Pong func(c *Conn, rtt time.Duration)

	// Closed is called once for each accepted connection, after it has ended.
	Closed func(c *Conn, info CloseInfo)
}

// seeConn reports whether a hook is passed connections.
func (h *Hooks) seeConn() bool {
	return h.Accepted != nil || h.Received != nil || h.Sent != nil || h.Pong != nil ||
		h.Closed != nil
}

// JoinHooks returns hooks that call those of a and then those of b, even after a panic, such as those
// of adapters/prometheus and your own.
func JoinHooks(a, b Hooks) Hooks {
	return Hooks{
		Accepted: join1(a.Accepted, b.Accepted),
		Refused:  join3(a.Refused, b.Refused),
		Received: join3(a.Received, b.Received),
		Sent:     join3(a.Sent, b.Sent),
		Pong:     join2(a.Pong, b.Pong),
		Closed:   join2(a.Closed, b.Closed),
	}
}

func join1[A any](f, g func(A)) func(A) {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func(a A) { defer g(a); f(a) }
}

func join2[A, B any](f, g func(A, B)) func(A, B) {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func(a A, b B) { defer g(a, b); f(a, b) }
}

func join3[A, B, C any](f, g func(A, B, C)) func(A, B, C) {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func(a A, b B, c C) { defer g(a, b, c); f(a, b, c) }
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

// hookPong is called for each pong. Only the answer to the last ping counts.
func (c *Conn) hookPong(payload string) error {
	hook := c.opts.Hooks.Pong
	if hook == nil {
		return nil
	}
	rtt, ok := c.roundTrip(payload)
	if !ok {
		return nil
	}
	return c.recoverPanic(func() { hook(c, rtt) })
}

func (c *Conn) hookClosed(info CloseInfo) {
	if f := c.opts.Hooks.Closed; f != nil {
		_ = c.recoverPanic(func() { f(c, info) })
	}
}
