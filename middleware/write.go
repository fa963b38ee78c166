package middleware

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

var errClosed = fmt.Errorf("middleware: WebSocket: %w", net.ErrClosed)

// WriteMessage sends p as one message in one frame, compressed if that was agreed on and is
// worth it. Text must be UTF-8, or the client will close with 1007. The error is net.ErrClosed
// if the connection is closing, or that of the network, with which the connection ends.
func (c *Conn) WriteMessage(t MessageType, p []byte) error {
	if err := c.beginWrite(t); err != nil {
		return err
	}
	defer c.endWrite()
	size := int64(len(p))
	if c.deflate.deflatable(len(p)) {
		deflated := newBuffer()
		defer deflated.free()
		if err := appendDeflated(deflated, p); err != nil {
			return err
		}
		if len(deflated.bytes()) < len(p) {
			c.transport.out.deflateNext.Store(true)
			p = deflated.bytes()
		}
	}
	if err := c.flushed(c.ws.WriteMessage(int(t), p)); err != nil {
		return err
	}
	c.written(t, size)
	return nil
}

// written counts a message that was sent.
func (c *Conn) written(t MessageType, size int64) {
	c.sent.Add(size)
	c.hookSent(t, size)
}

// NextWriter begins a message that is sent as it is written, uncompressed, in as many frames as
// it takes; closing the writer ends it. Until then other messages wait, so it has to be closed.
// The errors are those of [Conn.WriteMessage].
func (c *Conn) NextWriter(t MessageType) (io.WriteCloser, error) {
	if err := c.beginWrite(t); err != nil {
		return nil, err
	}
	w, err := c.ws.NextWriter(int(t))
	if err != nil {
		c.endWrite()
		return nil, c.flushed(err)
	}
	return &messageWriter{c: c, w: w, kind: t}, nil
}

type messageWriter struct {
	c      *Conn
	w      io.WriteCloser
	kind   MessageType
	size   int64
	closed bool
}

func (w *messageWriter) Write(p []byte) (int, error) {
	if w.closed {
		return 0, errClosed
	}
	n, err := w.w.Write(p)
	w.size += int64(n)
	return n, w.c.flushed(err)
}

func (w *messageWriter) Close() error {
	if w.closed {
		return errClosed
	}
	w.closed = true
	defer w.c.endWrite()
	if err := w.c.flushed(w.w.Close()); err != nil {
		return err
	}
	w.c.written(w.kind, w.size)
	return nil
}

// beginWrite waits for the message before to be written.
func (c *Conn) beginWrite(t MessageType) error {
	if t != TextMessage && t != BinaryMessage {
		return fmt.Errorf("middleware: %v: must be TextMessage or BinaryMessage", t)
	}
	if !c.writing.take(c.ctx) {
		return errClosed
	}
	return nil
}

func (c *Conn) endWrite() { c.writing.pass() }

// turn is a lock, for which nobody waits any more once the connection is done. One that was a
// channel would cost more where there is nobody to wait for.
type turn struct {
	wanted atomic.Int32  // by so many, the one who has it included
	passed chan struct{} // has an element between two who have it
}

// take waits for the caller's turn, and reports whether it has come before the connection was done.
func (t *turn) take(ctx context.Context) bool {
	if t.wanted.Add(1) == 1 {
		return true
	}
	select {
	case <-t.passed:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t *turn) pass() {
	if t.wanted.Add(-1) == 0 {
		return
	}
	select {
	case t.passed <- struct{}{}:
	default: // Those who wanted it have gone.
	}
}

// flushed ends a write: it flushes what gorilla has written, and gives up the connection if there
// was an error other than its being closed. What is lost of a frame cannot be made up for.
func (c *Conn) flushed(err error) error {
	if err == nil {
		err = c.transport.out.flush()
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, websocket.ErrCloseSent):
		return errClosed
	}
	c.drop()
	return fmt.Errorf("middleware: WebSocket: %w", err)
}

// writeControl sends a control frame (RFC 6455 §5.5), between the frames of a message if need be.
func (c *Conn) writeControl(opcode int, payload []byte) error {
	var deadline time.Time // for its turn to come
	if c.opts.WriteTimeout > 0 {
		deadline = time.Now().Add(c.opts.WriteTimeout)
	}
	if err := c.ws.WriteControl(opcode, payload, deadline); err != nil {
		return err
	}
	return c.transport.out.flush()
}

// setBatched has replies held back, or no longer, while the reader is busy.
func (c *Conn) setBatched(batched bool) {
	if c.transport.out.setBatched(batched) != nil {
		c.drop()
	}
}
