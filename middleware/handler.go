package middleware

import (
	"context"
	"io"
	"strconv"

	"example.com/wsecho/middleware/internal/frame"
)

// Greeting is what the default handler puts in front of every message it sends back.
const Greeting = "Hello from the server! You sent: "

// A Handler serves WebSocket connections.
type Handler interface {
	// ServeConn serves one connection, which ends when it returns: with close code 1000 if it
	// returns nil, the code of a [*CloseError] in its error's tree, and 1011 for any other error
	// or a panic. A close that is already under way keeps its code.
	//
	// The context carries the values of the request's and is done as soon as the connection can
	// carry no more messages: the client closed it or is gone, or a close frame was sent. (The
	// request's own context says nothing after a hijack: golang/go#32314.)
	ServeConn(ctx context.Context, c *Conn) error
}

// HandlerFunc makes a function a [Handler].
type HandlerFunc func(ctx context.Context, c *Conn) error

// ServeConn calls f(ctx, c).
func (f HandlerFunc) ServeConn(ctx context.Context, c *Conn) error { return f(ctx, c) }

// MessageType says how the payload of a message is to be understood (RFC 6455 §5.6).
type MessageType int

// The types of messages, numbered as their opcodes are.
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

// Message is a complete message, its text verified to be UTF-8 (RFC 6455 §8.1).
type Message struct {
	Type MessageType
	Data []byte // valid until the MessageFunc returns; may be changed
}

// MessageFunc answers one message: what it writes to w is the reply, sent as one message of
// the type of m, in one frame, when it returns nil. If it writes nothing, nothing is sent; an
// empty write makes an empty reply. If it returns an error or panics, no part of the reply is
// sent and the connection closes as [Handler] says.
//
// Messages of one connection are answered one after the other, those of different connections
// at the same time. A reply is on its way before the next message is answered: it never waits
// for another message's answer. Neither w nor m may be used after the function has returned.
type MessageFunc func(w io.Writer, m *Message) error

// ServeConn is the message loop: it answers each message of c with f until there are no more,
// and returns the error that ended it, a [*CloseError] if the client closed.
func (f MessageFunc) ServeConn(_ context.Context, c *Conn) error {
	var r reply
	for {
		if err := r.serve(c, f); err != nil {
			return err
		}
	}
}

// Batched returns a handler that answers messages as f does, for an f that never waits for
// anything, as [Echo]. Its replies are held back while more messages of the same client are at
// hand, to leave together: under load, one system call instead of one for each. They leave at
// the latest when the next message has yet to arrive, so that no client waits for a reply.
func Batched(f MessageFunc) Handler { return batched{f} }

type batched struct{ f MessageFunc }

func (b batched) ServeConn(ctx context.Context, c *Conn) error {
	c.setBatched(true)
	defer c.setBatched(false)
	return b.f.ServeConn(ctx, c)
}

// isMessageLoop reports whether h keeps no state between messages but the connection itself, so
// that it can be called again for one that was parked.
func isMessageLoop(h Handler) bool {
	switch h.(type) {
	case MessageFunc, batched:
		return true
	}
	return false
}

// Echo returns the function that answers each message with prefix and the message itself, text
// with text and binary with binary.
func Echo(prefix string) MessageFunc {
	return func(w io.Writer, m *Message) error {
		if r, ok := w.(*reply); ok && m == &r.message && r.echo(prefix) {
			return nil
		}
		if _, err := io.WriteString(w, prefix); err != nil {
			return err
		}
		_, err := w.Write(m.Data)
		return err
	}
}
