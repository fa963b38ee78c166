package stream

import (
	"net"
	"os"

	"example.com/wsecho/middleware/internal/buffer"
)

// Write writes a copy of p and flushes it, so that p can be reused after a deadline.
func (c *Conn) Write(p []byte) (written int, err error) {
	for written < len(p) {
		chunk := buffer.NewChunk()
		n := copy(chunk[:], p[written:])
		if err := c.send(chunk, n); err != nil {
			return written, err
		}
		written += n
	}
	return written, nil
}

// Flush sends the head of the response.
func (c *Conn) Flush() error { return c.send(nil, 0) }

// send writes n bytes of the chunk, which it frees, and flushes them.
func (c *Conn) send(chunk *buffer.Chunk, n int) error {
	if err := c.startWriting(); err != nil {
		freeChunk(chunk)
		return err
	}
	go c.writeChunk(chunk, n)
	err := os.ErrDeadlineExceeded
	select {
	case err = <-c.sent:
	case <-c.writeDeadline.channel():
	case <-c.closed:
		err = net.ErrClosed
	}
	if err != nil {
		c.fail(err)
	}
	return err
}

func (c *Conn) startWriting() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed != nil {
		return c.failed
	}
	if c.writeDeadline.exceeded() {
		return os.ErrDeadlineExceeded
	}
	return c.start(&c.writing)
}

// fail makes all further writes fail: how much of this one was sent is not known.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == nil {
		c.failed = err
	}
}

func (c *Conn) writeChunk(chunk *buffer.Chunk, n int) {
	defer c.inUse.Done()
	err := recovered(func() error {
		if n > 0 {
			if _, err := c.w.Write(chunk[:n]); err != nil {
				return err
			}
		}
		return c.w.FlushError()
	})
	freeChunk(chunk)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = false
	c.sent <- err
}

func freeChunk(chunk *buffer.Chunk) {
	if chunk != nil {
		chunk.Free()
	}
}
