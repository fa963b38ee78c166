package middleware

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"unicode/utf8"

	"example.com/wsecho/middleware/internal/buffer"
	"example.com/wsecho/middleware/internal/deflate"
	"example.com/wsecho/middleware/internal/engine"
	"example.com/wsecho/middleware/internal/frame"
	"example.com/wsecho/middleware/internal/transport"
)

var errClosed = fmt.Errorf("middleware: WebSocket: %w", net.ErrClosed)

var errNotUTF8 = errors.New("middleware: text message to send: must be valid UTF-8 (RFC 6455 §8.1)")

// WriteMessage sends p as one message in one frame, compressed if that was negotiated and makes it
// smaller. Text must be valid UTF-8, or nothing is sent and an error returned. If the connection is
// closing, the error wraps [net.ErrClosed]. An error of the network ends the connection.
func (c *Conn) WriteMessage(t MessageType, p []byte) error {
	if t == TextMessage && !utf8.Valid(p) {
		return errNotUTF8
	}
	if err := c.beginWrite(t); err != nil {
		return err
	}
	defer c.endWrite()
	size := int64(len(p))
	if c.deflate && deflate.IsWorthwhile(len(p), int(c.windowBits)) {
		deflated := buffer.New()
		defer deflated.Free()
		if err := deflate.Append(deflated, p); err != nil {
			return err
		}
		if len(deflated.Bytes()) < len(p) {
			c.transport.CompressNext()
			p = deflated.Bytes()
		}
	}
	e := c.opts.engines.Lend(lower{c})
	if err := e.WriteMessage(int(t), p); err != nil {
		return c.flushed(err)
	}
	e.Return()
	if err := c.flushed(nil); err != nil {
		return err
	}
	return c.written(t, size)
}

// written counts a message that was sent. If the hook panics, it closes the connection.
func (c *Conn) written(t MessageType, size int64) error {
	c.sent.Add(size)
	err := c.hookMessage(c.opts.Hooks.Sent, t, size)
	if err != nil {
		c.sendClose(failedBy(err))
	}
	return err
}

// NextWriter begins a message that is sent as it is written, uncompressed, in one or more frames.
// Closing the writer ends the message. Other messages wait until then, so the writer must be
// closed. The errors are those of [Conn.WriteMessage]. Text that is not UTF-8 cannot be taken back:
// the error closes the connection with 1011.
func (c *Conn) NextWriter(t MessageType) (io.WriteCloser, error) {
	if err := c.beginWrite(t); err != nil {
		return nil, err
	}
	e := c.opts.engines.Lend(lower{c})
	w, err := e.NextWriter(int(t))
	if err == nil && c.ctx.Err() != nil {
		err = transport.ErrClosed
	}
	if err != nil {
		c.endWrite()
		return nil, c.flushed(err)
	}
	return &messageWriter{c: c, engine: e, w: w, kind: t}, nil
}

type messageWriter struct {
	c      *Conn
	mu     sync.Mutex // The engine must not be used after it was returned.
	engine *engine.Engine
	w      io.WriteCloser
	kind   MessageType
	text   frame.TextChecker
	size   int64
	closed bool
}

func (w *messageWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, errClosed
	}
	if err := w.check(p, false); err != nil {
		return 0, err
	}
	n, err := w.w.Write(p)
	w.size += int64(n)
	return n, w.c.flushed(err)
}

func (w *messageWriter) check(p []byte, ends bool) error {
	if w.kind != TextMessage || w.text.Check(p, ends) == nil {
		return nil
	}
	if w.c.sendClose(failedBy(errNotUTF8)) {
		w.c.logHandlerError(errNotUTF8)
	}
	return errNotUTF8
}

func (w *messageWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errClosed
	}
	w.closed = true
	defer w.c.endWrite()
	if err := w.check(nil, true); err != nil {
		return err
	}
	if err := w.c.flushed(w.w.Close()); err != nil {
		return err
	}
	w.engine.Return()
	return w.c.written(w.kind, w.size)
}

// beginWrite waits until the previous message is written.
func (c *Conn) beginWrite(t MessageType) error {
	if t != TextMessage && t != BinaryMessage {
		return fmt.Errorf("middleware: %v: must be TextMessage or BinaryMessage", t)
	}
	if c.writing.tryLock() {
		return nil
	}
	// The caller may be the reader, and wait long, for the end of a stream. Send what is held back:
	// only the reader would send it.
	c.transport.Release()
	if !c.writing.wait(c.ctx) {
		return errClosed
	}
	return nil
}

func (c *Conn) endWrite() { c.writing.unlock() }

// flushed flushes what gorilla has written, if err is nil. After an error of the network it drops
// the connection: a frame that was sent in part cannot be completed.
func (c *Conn) flushed(err error) error {
	if err == nil {
		err = c.transport.Flush()
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, transport.ErrClosed):
		return errClosed
	}
	c.drop(err)
	return fmt.Errorf("middleware: WebSocket: %w", err)
}

// setBatched sets whether replies are held back while the reader is busy.
func (c *Conn) setBatched(batched bool) {
	if err := c.transport.SetBatched(batched); err != nil {
		c.drop(err)
	}
}
