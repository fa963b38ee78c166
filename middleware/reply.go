package middleware

import (
	"errors"
	"sync"
	"unicode/utf8"

	"example.com/wsecho/middleware/internal/buffer"
)

// reply collects what a MessageFunc writes. It fills one cache line.
type reply struct {
	message Message
	in      *buffer.Buffer // the message

	mu      sync.Mutex     // A function may, wrongly, write while and after it returns.
	out     *buffer.Buffer // nil until the reply needs a buffer of its own
	prefix  int32          // if out is nil, the reply is so many bytes of prefix and in
	written bool
	ended   bool // No more writes.
	echoes  bool // The function is Echo's, and nobody else changes the message or keeps the reply.
}

// serve answers the next message.
func (r *reply) serve(c *Conn, f MessageFunc, mayPark bool) error {
	t, in, err := c.receive(mayPark)
	if err != nil {
		return err
	}
	r.begin(t, in)
	defer r.free()
	err = f(r, &r.message)
	r.end()
	switch {
	case err != nil || !r.written:
		return err
	case r.out == nil:
		return c.writeMessage(t, r.in.Prefixed(int(r.prefix))) // text that was checked when read
	}
	return c.WriteMessage(t, r.out.Bytes())
}

func (r *reply) begin(t MessageType, in *buffer.Buffer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.message, r.in = Message{Type: t, Data: in.Bytes()}, in
	r.prefix, r.written, r.ended = 0, false, false
}

// end makes writes fail: they would reach the buffer of another connection.
func (r *reply) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}

func (r *reply) free() {
	r.end()
	r.in.Free()
	if r.out != nil {
		r.out.Free()
	}
	r.message, r.in, r.out = Message{}, nil, nil
}

// prepare returns the buffer of the reply for a write. The reply is locked.
func (r *reply) prepare() (*buffer.Buffer, error) {
	if r.ended {
		return nil, errReplyEnded
	}
	if r.out == nil {
		r.out = buffer.New()
		if r.written {
			_, _ = r.out.Write(r.in.Prefixed(int(r.prefix)))
		}
	}
	r.written = true
	return r.out, nil
}

func (r *reply) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out, err := r.prepare()
	if err != nil {
		return 0, err
	}
	return out.Write(p)
}

func (r *reply) WriteString(s string) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out, err := r.prepare()
	if err != nil {
		return 0, err
	}
	return out.WriteString(s)
}

var errReplyEnded = errors.New("middleware: reply written after the MessageFunc has returned")

// echo makes prefix and the message the reply, without copying the message. It reports whether it
// could.
func (r *reply) echo(prefix string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.echoes || r.written || r.ended || !utf8.ValidString(prefix) {
		return false
	}
	r.prefix, r.written = int32(len(prefix)), r.in.Prefix(prefix)
	return r.written
}
