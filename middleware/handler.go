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

// reply collects what a MessageFunc writes. With many connections each cache line counts, and this
// is one.
type reply struct {
	message Message
	in, out *buffer // out is nil until something is written to it
	prefix  int     // bytes in front of in's payload: both are the reply, if written without out
	written bool
}

// serve answers the next message.
func (r *reply) serve(c *Conn, f MessageFunc) error {
	t, in, err := c.receive()
	if err != nil {
		return err
	}
	*r = reply{message: Message{Type: t, Data: in.bytes()}, in: in}
	defer r.free()
	if err := f(r, &r.message); err != nil || !r.written {
		return err
	}
	return c.WriteMessage(t, r.bytes())
}

func (r *reply) free() {
	r.in.free()
	if r.out != nil {
		r.out.free()
	}
}

func (r *reply) bytes() []byte {
	if r.out == nil {
		return r.in.prefixed(r.prefix)
	}
	return r.out.bytes()
}

// buffer returns where to write, with what has been written so far.
func (r *reply) buffer() *buffer {
	if r.out == nil {
		r.out = newBuffer()
		if r.written {
			_, _ = r.out.Write(r.in.prefixed(r.prefix))
		}
	}
	r.written = true
	return r.out
}

func (r *reply) Write(p []byte) (int, error) { return r.buffer().Write(p) }

func (r *reply) WriteString(s string) (int, error) { return r.buffer().WriteString(s) }

// echoMessage makes the message behind prefix the reply, without copying the message.
func (r *reply) echoMessage(prefix string) bool {
	if r.written || !sameSlice(r.message.Data, r.in.bytes()) {
		return false
	}
	r.prefix, r.written = len(prefix), r.in.prefix(prefix)
	return r.written
}

func sameSlice(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// Echo returns the function that answers each message with prefix and the message itself, text
// with text and binary with binary.
func Echo(prefix string) MessageFunc {
	return func(w io.Writer, m *Message) error {
		if r, ok := w.(*reply); ok && m == &r.message && r.echoMessage(prefix) {
			return nil
		}
		if _, err := io.WriteString(w, prefix); err != nil {
			return err
		}
		_, err := w.Write(m.Data)
		return err
	}
}
