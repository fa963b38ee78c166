package middleware

import (
	"errors"
	"sync"

	"example.com/wsecho/middleware/internal/buffer"
)

// reply collects what a MessageFunc writes.
type reply struct {
	message Message

	mu    sync.Mutex     // A function may, wrongly, write while and after it returns.
	out   *buffer.Buffer // nil before the first write
	ended bool           // No more writes.
}

// serve answers the next message.
func (r *reply) serve(c *Conn, f MessageFunc, mayPark bool) error {
	t, in, err := c.receive(mayPark)
	if err != nil {
		return err
	}
	defer r.free()
	if err := r.answer(f, t, in); err != nil || r.out == nil {
		return err
	}
	return c.WriteMessage(t, r.out.Bytes())
}

// answer calls f with the message, which f may use until it returns.
func (r *reply) answer(f MessageFunc, t MessageType, in *buffer.Buffer) error {
	defer in.Free()
	r.begin(t, in)
	defer r.end()
	return f(r, &r.message)
}

func (r *reply) begin(t MessageType, in *buffer.Buffer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.message, r.ended = Message{Type: t, Data: in.Bytes()}, false
}

// end makes writes fail: they would reach the buffer of another connection.
func (r *reply) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.message, r.ended = Message{}, true
}

func (r *reply) free() {
	if r.out != nil {
		r.out.Free()
	}
	r.out = nil
}

// prepare returns the buffer for a write. The reply is locked.
func (r *reply) prepare() (*buffer.Buffer, error) {
	if r.ended {
		return nil, errReplyEnded
	}
	if r.out == nil {
		r.out = buffer.New()
	}
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
