package middleware

import (
	"context"
	"io"
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

// MessageFunc answers one message: what it writes to w is the reply, sent as one message of
// the type of m, in one frame, when it returns nil. If it writes nothing, nothing is sent; an
// empty write makes an empty reply. If it returns an error or panics, no part of the reply is
// sent and the connection closes as [Handler] says.
//
// Messages of one connection are answered one after the other, those of different connections
// at the same time. Neither w nor m may be used after it has returned.
type MessageFunc func(w io.Writer, m *Message) error

// ServeConn is the message loop: it answers each message of c with f until there are no more,
// and returns the error that ended it, a [*CloseError] if the client closed.
func (f MessageFunc) ServeConn(_ context.Context, c *Conn) error {
	for {
		if err := f.serveMessage(c); err != nil {
			return err
		}
	}
}

func (f MessageFunc) serveMessage(c *Conn) error {
	t, in, err := c.receive()
	if err != nil {
		return err
	}
	defer in.free()
	out := newBuffer()
	defer out.free()
	w := reply{buffer: out}
	if err := f(&w, &Message{Type: t, Data: in.b}); err != nil {
		return err
	}
	if !w.written {
		return nil
	}
	return c.WriteMessage(t, out.b)
}

// reply collects what a MessageFunc writes.
type reply struct {
	*buffer
	written bool
}

func (r *reply) Write(p []byte) (int, error) {
	r.written = true
	return r.buffer.Write(p)
}

func (r *reply) WriteString(s string) (int, error) {
	r.written = true
	r.b = append(r.b, s...)
	return len(s), nil
}

// Echo returns the handler that answers each message with prefix and the message itself, text
// with text and binary with binary.
func Echo(prefix string) MessageFunc {
	return func(w io.Writer, m *Message) error {
		if _, err := io.WriteString(w, prefix); err != nil {
			return err
		}
		_, err := w.Write(m.Data)
		return err
	}
}
