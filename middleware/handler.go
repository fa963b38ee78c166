package middleware

import (
	"context"
	"errors"
	"io"
	"strconv"

	"example.com/wsecho/middleware/internal/frame"
)

// Greeting is the prefix of the default handler's replies.
const Greeting = "Hello from the server! You sent: "

// A Handler serves WebSocket connections.
type Handler interface {
	// ServeConn serves one connection. The connection closes when ServeConn returns: with code
	// 1000 for nil, 1001 for nil during a shutdown, the code of a [*CloseError] in the error's
	// tree, or 1011 for any other error or a panic. If the closing handshake has begun already, its
	// code stands.
	//
	// The context has the values of the request's context. It is done when no more messages can be
	// exchanged: the client has closed or is gone, or a close frame was sent. The client's close
	// frame is noticed only while somebody reads. (The request's own context is not canceled after
	// a hijack: golang/go#32314.)
	ServeConn(ctx context.Context, c *Conn) error
}

// HandlerFunc is a function that serves a connection. It is a [Handler].
type HandlerFunc func(ctx context.Context, c *Conn) error

// ServeConn calls f(ctx, c).
func (f HandlerFunc) ServeConn(ctx context.Context, c *Conn) error { return f(ctx, c) }

// MessageType is the type of a message, text or binary (RFC 6455 §5.6).
type MessageType int

// The message types; their values are the opcodes.
const (
	TextMessage   MessageType = frame.Text   // UTF-8, verified
	BinaryMessage MessageType = frame.Binary // any bytes
)

// String returns "text" or "binary".
func (t MessageType) String() string {
	switch t {
	case TextMessage:
		return "text"
	case BinaryMessage:
		return "binary"
	}
	return "MessageType(" + strconv.Itoa(int(t)) + ")"
}

// Message is a complete message. A text message is valid UTF-8 (RFC 6455 §8.1).
type Message struct {
	Type MessageType
	Data []byte // valid until the MessageFunc returns; it may be modified
}

// MessageFunc answers one message. What it writes to w is the reply: when it returns nil, the
// reply is sent as one message of the type of m, in one frame. If it writes nothing, nothing is
// sent; an empty write makes an empty reply. If it returns an error or panics, or if a text reply
// is not valid UTF-8, no part of the reply is sent, and the connection closes as the type
// [Handler] describes. To know whose message it is, make the function with [PerConn].
//
// Messages of one connection are answered one after the other, those of different connections
// concurrently. A reply is sent before the next message is answered. While the function runs, the
// connection is not read: pings and the client's close frame wait. Neither w nor m may be used
// after the function has returned: a write to w then fails, or becomes part of a later reply on the
// same connection.
type MessageFunc func(w io.Writer, m *Message) error

// ServeConn is the message loop: it calls f for each message of c until reading or f fails, and
// returns that error. It is a [*CloseError] if the client closed.
func (f MessageFunc) ServeConn(_ context.Context, c *Conn) error { return f.loop(c, !mayPark) }

func (f MessageFunc) loop(c *Conn, mayPark bool) error {
	var r reply
	for {
		if err := r.serve(c, f, mayPark); err != nil {
			return err
		}
	}
}

// PerConn returns a handler that calls begin once for each connection and answers its messages with
// the function that begin returns. That function may keep what the connection needs: its user, a
// limiter, a counter; its calls are never concurrent. If begin returns an error, the connection
// closes as the type [Handler] describes. An idle connection costs little more than that of a plain
// MessageFunc.
//
// The ctx of begin is that of the connection: use [context.AfterFunc] for what has to be done at
// its end. A close frame that arrives while the function runs ends ctx only after it has returned.
func PerConn(begin func(ctx context.Context, c *Conn) (MessageFunc, error)) Handler {
	return perConn(begin)
}

type perConn func(ctx context.Context, c *Conn) (MessageFunc, error)

func (begin perConn) ServeConn(ctx context.Context, c *Conn) error {
	f, err := begin.function(ctx, c)
	if err != nil {
		return err
	}
	return f.loop(c, !mayPark)
}

func (begin perConn) function(ctx context.Context, c *Conn) (MessageFunc, error) {
	f, err := begin(ctx, c)
	if err == nil && f == nil {
		err = errors.New("middleware: PerConn: the function for the connection must not be nil")
	}
	return f, err
}

// Batched returns a handler that answers messages with f, for an f that never blocks, such as
// [Echo]. While more messages of the client have been received, replies are held back and sent
// together: under load, in one system call instead of one for each. All replies are sent before the
// connection waits for the next message.
func Batched(f MessageFunc) Handler { return batched{f} }

type batched struct{ f MessageFunc }

func (b batched) ServeConn(_ context.Context, c *Conn) error { return b.loop(c, !mayPark) }

func (b batched) loop(c *Conn, mayPark bool) error {
	c.setBatched(true)
	defer c.setBatched(false)
	return b.f.loop(c, mayPark)
}

// canPark reports whether h keeps no state on its stack between messages, so that it can be called
// again for a connection that was parked.
func canPark(h Handler) bool {
	_, ok := h.(perConn)
	return ok || !seesConn(h)
}

// serveParkable is ServeConn of the connection's own handler h, which returns transport.ErrIdle to
// be called again if canPark(h). One that code of the user calls must not: it would see the error.
func (c *Conn) serveParkable(h Handler) (err error) {
	switch h := h.(type) {
	case MessageFunc:
		return h.loop(c, mayPark)
	case batched:
		return h.loop(c, mayPark)
	case perConn:
		if c.answer == nil {
			if c.answer, err = h.function(c.ctx, c); err != nil {
				return err
			}
		}
		return c.answer.loop(c, mayPark)
	}
	return h.ServeConn(c.ctx, c)
}

// seesConn reports whether code of the user gets the Conn from h.
func seesConn(h Handler) bool {
	switch h.(type) {
	case MessageFunc, batched:
		return false
	}
	return true
}

// Echo returns a MessageFunc that replies with prefix and the message.
func Echo(prefix string) MessageFunc {
	return func(w io.Writer, m *Message) error {
		if _, err := io.WriteString(w, prefix); err != nil {
			return err
		}
		_, err := w.Write(m.Data)
		return err
	}
}
