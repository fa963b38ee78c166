package middleware

import (
	"errors"
	"fmt"
	"io"
	"net"

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
	if !c.deflate.deflatable(len(p)) {
		return c.writeFailed(c.ws.WriteMessage(int(t), p))
	}
	deflated := newBuffer()
	defer deflated.free()
	if err := appendDeflated(deflated, p); err != nil {
		return err
	}
	if len(deflated.b) < len(p) {
		c.transport.deflateNext.Store(true)
		p = deflated.b
	}
	return c.writeFailed(c.ws.WriteMessage(int(t), p))
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
		return nil, c.writeFailed(err)
	}
	return &messageWriter{c: c, w: w}, nil
}

type messageWriter struct {
	c      *Conn
	w      io.WriteCloser
	closed bool
}

func (w *messageWriter) Write(p []byte) (int, error) {
	if w.closed {
		return 0, errClosed
	}
	n, err := w.w.Write(p)
	return n, w.c.writeFailed(err)
}

func (w *messageWriter) Close() error {
	if w.closed {
		return errClosed
	}
	w.closed = true
	defer w.c.endWrite()
	return w.c.writeFailed(w.w.Close())
}

// beginWrite waits for the message before to be written.
func (c *Conn) beginWrite(t MessageType) error {
	if t != TextMessage && t != BinaryMessage {
		return fmt.Errorf("middleware: %v: must be TextMessage or BinaryMessage", t)
	}
	select {
	case c.writing <- struct{}{}:
		return nil
	default:
	}
	select {
	case c.writing <- struct{}{}:
		return nil
	case <-c.ctx.Done():
		return errClosed
	}
}

func (c *Conn) endWrite() { <-c.writing }

// writeFailed gives up the connection if err is more than its being closed: what has been
// written of a frame cannot be taken back.
func (c *Conn) writeFailed(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, websocket.ErrCloseSent):
		return errClosed
	}
	c.drop()
	return fmt.Errorf("middleware: WebSocket: %w", err)
}
