package stream

import (
	"errors"
	"fmt"
	"net"
	"os"

	"example.com/wsecho/middleware/internal/buffer"
)

// smallRead is the size of the buffer that a connection keeps while it waits for input.
const smallRead = 4 << 10

// result is what a read from the body has returned.
type result struct {
	unread []byte
	err    error
	chunk  *buffer.Chunk // that unread is in, or nil
}

// Read reads from the body of the request. What arrives after a deadline is kept for the next call.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.readDeadline.exceeded() {
		return 0, os.ErrDeadlineExceeded
	}
	if len(c.in.unread) == 0 && c.in.err == nil {
		if err := c.receive(len(p)); err != nil {
			return 0, err
		}
	}
	if len(c.in.unread) == 0 {
		return 0, c.in.err
	}
	return c.in.take(p), nil
}

func (in *result) take(p []byte) int {
	n := copy(p, in.unread)
	in.unread = in.unread[n:]
	if len(in.unread) == 0 && in.chunk != nil {
		in.chunk.Free()
		in.chunk = nil
	}
	return n
}

// receive waits for a result of the body, for a reader that wants n bytes.
func (c *Conn) receive(n int) error {
	if err := c.startReading(n); err != nil {
		return err
	}
	select {
	case c.in = <-c.received:
		return nil
	case <-c.readDeadline.channel():
		return os.ErrDeadlineExceeded
	case <-c.closed:
		return net.ErrClosed
	}
}

// startReading reads from the body, unless that is being done or has been done already.
func (c *Conn) startReading(n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.isClosed && (c.reading || len(c.received) > 0) {
		return nil
	}
	if err := c.start(&c.reading); err != nil {
		return err
	}
	go c.readBody(n)
	return nil
}

// readBody reads once, into a chunk if the reader wants more than the small buffer holds.
func (c *Conn) readBody(n int) {
	defer c.inUse.Done()
	var r result
	p := c.small
	switch {
	case n > smallRead:
		r.chunk = buffer.NewChunk()
		p = r.chunk[:]
	case p == nil:
		c.small = make([]byte, smallRead)
		p = c.small
	}
	r.err = recovered(func() (err error) {
		for n = 0; n == 0 && err == nil; { // quic-go returns 0, nil for trailers.
			n, err = c.body.Read(p)
		}
		r.unread = p[:n]
		return err
	})
	if n == 0 && r.chunk != nil {
		r.chunk.Free()
		r.chunk = nil
	}
	if errors.Is(r.err, os.ErrDeadlineExceeded) {
		// It is the server's, and final. The reader would take it for its own and try again.
		r.err = fmt.Errorf("stream: timeout of the server: %v", r.err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	c.received <- r
}
