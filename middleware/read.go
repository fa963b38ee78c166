package middleware

import (
	"fmt"
	"io"
	"net/http"

	"example.com/wsecho/middleware/internal/buffer"
	"example.com/wsecho/middleware/internal/deflate"
	"example.com/wsecho/middleware/internal/engine"
	"example.com/wsecho/middleware/internal/frame"
	"example.com/wsecho/middleware/internal/transport"
)

// incoming is the message being read.
type incoming struct {
	number   uint64          // of the message, from 1
	engine   *engine.Engine  // nil between messages, unless input was received
	payload  io.Reader       // nil between messages
	inflater *deflate.Reader // payload too, if the message is compressed
	kind     MessageType
	text     frame.TextChecker
	size     int64 // so far
}

// NextReader returns the type of the next message and a reader for it. It discards what is left
// of the previous message. The reader is valid until the next call of a reading method. Errors of
// NextReader and of the reader are of type [*CloseError] and are returned by all further reads.
// Text is checked as it is read: the error for invalid UTF-8 comes when that part is read.
func (c *Conn) NextReader() (MessageType, io.Reader, error) {
	c.reading.lock()
	defer c.reading.unlock()
	for {
		t, err := c.nextMessage(!mayPark)
		if err != nil {
			return 0, nil, err
		}
		if !c.lifetime.expired.Load() {
			return t, &messageReader{c, c.in.number}, nil
		}
	}
}

// messageReader reads the message with the number while it is the current one.
type messageReader struct {
	c      *Conn
	number uint64
}

func (r *messageReader) Read(p []byte) (int, error) {
	r.c.reading.lock()
	defer r.c.reading.unlock()
	if r.number != r.c.in.number {
		return 0, io.EOF
	}
	return r.c.readPayload(p)
}

// ReadMessage returns the next message. Its errors are those of [Conn.NextReader].
func (c *Conn) ReadMessage() (MessageType, []byte, error) {
	t, b, err := c.receive(!mayPark)
	if err != nil {
		return 0, nil, err
	}
	return t, b.Bytes(), nil // The buffer is not freed: the caller keeps its bytes.
}

// mayPark is the argument of a message loop, which returns transport.ErrIdle to be parked.
const mayPark = true

// receive returns the next message in a buffer that the caller must free. The connection holds no
// buffer while it waits.
func (c *Conn) receive(mayPark bool) (MessageType, *buffer.Buffer, error) {
	c.reading.lock()
	defer c.reading.unlock()
	for {
		t, err := c.nextMessage(mayPark)
		if err != nil {
			return 0, nil, err
		}
		b := buffer.New()
		if _, err := b.ReadFrom(payloadReader{c}); err != nil {
			b.Free()
			return 0, nil, err
		}
		if !c.lifetime.expired.Load() {
			return t, b, nil
		}
		b.Free()
	}
}

// Discard reads and discards messages until the connection ends, and returns the [*CloseError]
// that ended it. A handler that expects no messages runs it in another goroutine: go c.Discard().
func (c *Conn) Discard() error {
	for {
		if _, _, err := c.NextReader(); err != nil {
			return err
		}
	}
}

// payloadReader reads the current message of a Conn whose reading is locked.
type payloadReader struct{ c *Conn }

func (r payloadReader) Read(p []byte) (int, error) { return r.c.readPayload(p) }

func (c *Conn) nextMessage(mayPark bool) (MessageType, error) {
	if c.in.payload != nil {
		// The rest is not wanted but must be valid.
		if _, err := io.Copy(io.Discard, payloadReader{c}); err != nil {
			return 0, err
		}
	}
	if c.readErr != nil {
		return 0, c.readErr
	}
	if err := c.transport.Await(mayPark); err != nil {
		c.returnEngine() // It has not seen the error.
		if err == transport.ErrIdle {
			return 0, err
		}
		return 0, c.readFailed(err)
	}
	if c.in.engine == nil {
		c.in.engine = c.opts.engines.Lend(lower{c})
	}
	opcode, payload, err := c.in.engine.NextReader()
	if err != nil {
		return 0, c.readFailed(err)
	}
	c.in = incoming{
		number:  c.in.number + 1,
		engine:  c.in.engine,
		payload: payload,
		kind:    MessageType(opcode),
	}
	if c.transport.Compressed() {
		c.in.inflater = deflate.NewReader(payload)
		if c.in.kind == TextMessage {
			c.in.inflater.CheckEarly(checkText, c.transport.InMessage)
		}
		c.in.payload = c.in.inflater
	}
	return c.in.kind, nil
}

// checkText checks the beginning of a text.
func checkText(p []byte) error {
	var text frame.TextChecker
	return text.Check(p, false)
}

// readPayload reads and checks the current message, up to io.EOF.
func (c *Conn) readPayload(p []byte) (int, error) {
	if c.readErr != nil {
		return 0, c.readErr
	}
	if c.in.payload == nil {
		return 0, io.EOF
	}
	n, err := c.in.payload.Read(p)
	if checkErr := c.in.check(p[:n], err == io.EOF, c.opts.ReadLimit); checkErr != nil {
		n, err = 0, checkErr
	}
	switch err {
	case nil:
		return n, nil
	case io.EOF:
		c.endPayload()
		if !c.transport.Buffered() { // The next message will be waited for.
			c.returnEngine()
		}
		if err := c.hookMessage(c.opts.Hooks.Received, c.in.kind, c.in.size); err != nil {
			return 0, c.readFailed(err)
		}
		return n, io.EOF
	}
	c.endPayload()
	return n, c.readFailed(err)
}

func (c *Conn) receivedBytes() int64 {
	c.reading.lock()
	defer c.reading.unlock()
	return c.received
}

func (c *Conn) returnEngine() {
	if c.in.engine != nil {
		c.in.engine.Return()
		c.in.engine = nil
	}
}

func (c *Conn) endPayload() {
	c.received += c.in.size
	if c.in.inflater != nil {
		c.in.inflater.Free()
		c.in.inflater = nil
	}
	c.in.payload = nil
}

// check checks the next bytes of the message, which are the last ones if ends is true.
func (in *incoming) check(p []byte, ends bool, limit int64) error {
	in.size += int64(len(p))
	if limit >= 0 && in.size > limit {
		return frame.TooBig(limit)
	}
	if in.kind != TextMessage {
		return nil
	}
	return in.text.Check(p, ends)
}

// readFailed answers the client's close frame, or sends one for a violation. It returns the error
// of all further reads.
func (c *Conn) readFailed(err error) error {
	if received, ok := err.(*frame.CloseReceived); ok {
		e := &CloseError{Code: received.Code, Reason: received.Reason}
		c.closing.Receive(e)
		c.sendClose(e) // the same code back (RFC 6455 §5.5.1), with the reason, as npm ws does
		c.readErr = e
	} else if e := failure(err); e != nil {
		if c.beginClose(e) {
			c.logFailed(e)
			c.writeClose(e)
		}
		c.readErr = e
	} else {
		if c.in.engine != nil {
			err = c.in.engine.Cause(err)
		}
		c.readErr = &CloseError{Code: frame.AbnormalClosure, err: c.drop(err)}
	}
	return c.readErr
}

// failure returns the close code to fail the connection with (RFC 6455 §7.1.7), or nil if err is
// an error of the network. gorilla and deflate return the errors of the transport as they are.
func failure(err error) *CloseError {
	switch e := err.(type) {
	case *CloseError:
		return e
	case *frame.Violation:
		return &CloseError{Code: e.Code, Reason: e.Reason}
	case handlerPanic:
		return failedBy(err)
	case *http.MaxBytesError: // of http.MaxBytesHandler around us, which counts bytes of streams
		return &CloseError{Code: frame.MessageTooBig, Reason: fmt.Sprintf(
			"a handler outside limits the body of the request to %d bytes", e.Limit)}
	}
	switch err {
	case deflate.ErrCorrupt:
		return &CloseError{Code: frame.InvalidPayload, Reason: err.Error()}
	case deflate.ErrFinalBlocks:
		return &CloseError{Code: frame.PolicyViolation, Reason: err.Error()}
	}
	return nil
}
