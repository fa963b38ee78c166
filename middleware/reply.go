package middleware

import (
	"errors"

	"example.com/wsecho/middleware/internal/buffer"
)

// reply collects what a MessageFunc writes. It fills one cache line.
type reply struct {
	message Message
	in, out *buffer.Buffer // the message; the reply, nil until it needs a buffer of its own
	prefix  int            // if out is nil, the reply is so many bytes of prefix and in
	written bool
}

// serve answers the next message.
func (r *reply) serve(c *Conn, f MessageFunc) error {
	t, in, err := c.receive()
	if err != nil {
		return err
	}
	*r = reply{message: Message{Type: t, Data: in.Bytes()}, in: in}
	defer r.free()
	if err := f(r, &r.message); err != nil || !r.written {
		return err
	}
	return c.WriteMessage(t, r.bytes())
}

// free ends the reply. A function that uses it later, which it must not, does not reach the buffers
// of other connections.
func (r *reply) free() {
	in, out := r.in, r.out
	*r = reply{}
	in.Free()
	if out != nil {
		out.Free()
	}
}

func (r *reply) bytes() []byte {
	if r.out == nil {
		return r.in.Prefixed(r.prefix)
	}
	return r.out.Bytes()
}

// output returns the buffer of the reply, or nil if the reply has ended.
func (r *reply) output() *buffer.Buffer {
	if r.in == nil {
		return nil
	}
	if r.out == nil {
		r.out = buffer.New()
		if r.written {
			_, _ = r.out.Write(r.in.Prefixed(r.prefix))
		}
	}
	r.written = true
	return r.out
}

func (r *reply) Write(p []byte) (int, error) {
	if out := r.output(); out != nil {
		return out.Write(p)
	}
	return 0, errReplyEnded
}

func (r *reply) WriteString(s string) (int, error) {
	if out := r.output(); out != nil {
		return out.WriteString(s)
	}
	return 0, errReplyEnded
}

var errReplyEnded = errors.New("middleware: reply written after the MessageFunc has returned")

// echo makes prefix and the message the reply, without copying the message. It reports whether it
// could.
func (r *reply) echo(prefix string) bool {
	if r.written || !sameSlice(r.message.Data, r.in.Bytes()) {
		return false
	}
	r.prefix, r.written = len(prefix), r.in.Prefix(prefix)
	return r.written
}

func sameSlice(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
