// Package transport lies between the network and the WebSocket library. It checks the frames read,
// and needs little memory while the reader waits.
//
// It works on bytes and frames. It must not know messages, HTTP or the library.
package transport

import (
	"io"
	"net"
	"runtime"
	"time"

	"example.com/wsecho/middleware/internal/frame"
	"example.com/wsecho/middleware/internal/output"
	"example.com/wsecho/middleware/internal/poll"
)

// ErrClosed is returned by writes after the close frame.
var ErrClosed = output.ErrClosed

// Transport is a connection that checks frames. One goroutine at a time may read from it. Writers
// must not interleave the pieces of their frames. Create one with [New].
type Transport struct {
	Conn  net.Conn // the hijacked connection
	owner Owner

	guard   frame.Guard
	refused error // from guard; ends the reading

	reader reader
	raw    rawConn
	in     *input // nil while the reader is parked
	out    output.Output
}

// Owner is called by the reader.
type Owner interface {
	// Ping and Pong are called for pings and pongs between two messages.
	Ping(payload string) error
	Pong(payload string) error

	// Interrupted is called, after [Transport.Interrupt], by the next read from the network, and
	// again when the deadline that it returned is exceeded. It returns a deadline, zero for none,
	// or the error for the read to return. waited is how long the read has waited since the last
	// call.
	Interrupted(waited time.Duration) (until time.Time, err error)
}

// Config configures a Transport.
type Config struct {
	Owner Owner
	Guard frame.Guard

	// WriteTimeout is the timeout for each 64 KiB written. If negative, there is none.
	WriteTimeout time.Duration

	// ReadTimeout is how long the reader waits for each 256 KiB of a message before it returns a
	// [*frame.Violation]. If zero or negative, there is no limit.
	ReadTimeout time.Duration

	// Rate is how many messages and control frames are read a second, with a burst of one second's
	// worth. If zero or negative, there is no limit.
	Rate float64

	// IdleAfter is how long [Transport.Await] waits for input before it returns [ErrIdle]. If zero,
	// or if the connection cannot be parked, there is no limit.
	IdleAfter time.Duration
}

// New returns a transport on conn, from which received was read already.
func New(conn net.Conn, received []byte, config Config) *Transport {
	t := &Transport{Conn: conn, owner: config.Owner, guard: config.Guard}
	t.out.Init(conn, config.WriteTimeout)
	t.reader.slow.timeout = config.ReadTimeout
	t.initRawConn()
	if poll.Supported && t.raw.conn != nil {
		t.reader.idleAfter = config.IdleAfter
	}
	if config.Rate > 0 {
		t.reader.pace = newPace(config.Rate)
	}
	t.in = newInput()
	t.in.rest = received
	return t
}

// Read reads frames that were checked. After everything before them was read, the error is a
// [*frame.Violation] for a violation and a [*frame.CloseReceived] for the client's close frame.
func (t *Transport) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil && len(p) > 0 {
		if len(t.in.unread) > 0 {
			return t.in.take(p), nil
		}
		// Control frames within a message count too.
		if err = t.keepPace(); err != nil {
			break
		}
		switch {
		case t.refused != nil:
			err = t.refused
		case len(t.in.rest) > 0:
			t.check()
		case min(uint64(len(p)), t.guard.Payload()) >= directRead:
			n, err = t.readDirect(p)
		default:
			err = t.fill()
		}
	}
	return n, err
}

// check moves the input up to the end of a message from rest to unread.
func (t *Transport) check() {
	rest := t.in.rest
	n, err := t.advance(rest)
	t.in.unread, t.in.rest, t.refused = rest[:n], rest[n:], err
	if err != nil || t.guard.Closing() {
		t.in.rest = nil // Advance has taken it.
	}
	t.in.skip(0)
}

// readDirect receives payload into p.
func (t *Transport) readDirect(p []byte) (int, error) {
	received, err := t.receive(p[:min(uint64(len(p)), t.guard.Payload())])
	if len(received) == 0 {
		return 0, err
	}
	return t.advance(received)
}

// advance checks input, up to the end of a message.
func (t *Transport) advance(p []byte) (int, error) {
	n, err := t.guard.Advance(p)
	if t.guard.InMessage() {
		t.reader.slow.received(t.guard.Received())
	} else {
		t.reader.slow.reset()
	}
	return n, err
}

// fill receives into a buffer of the transport.
func (t *Transport) fill() error {
	received, err := t.receive(nil)
	if len(received) == 0 {
		return err
	}
	t.in.rest = received
	return nil
}

// Compressed reports whether the current message is compressed.
func (t *Transport) Compressed() bool { return t.guard.Compressed() }

// Buffered reports whether input was received that is not yet read.
func (t *Transport) Buffered() bool { return len(t.in.unread)+len(t.in.rest) > 0 }

// InMessage reports whether more of the current message is to be received.
func (t *Transport) InMessage() bool { return t.guard.InMessage() }

// Write buffers a piece of output: a frame header with payload, or more payload of the same frame.
// [Transport.Flush] sends it.
func (t *Transport) Write(p []byte) (int, error) { return t.out.Write(p) }

// Flush sends the buffered output, unless it is held back.
func (t *Transport) Flush() error { return t.out.Flush() }

// WriteControl writes a ping or pong, between the frames of other goroutines. It waits for the
// network only if nobody else does.
func (t *Transport) WriteControl(opcode byte, payload []byte) error {
	return t.out.Control(opcode, payload)
}

// WriteClose writes and sends a close frame, after which all writes return [ErrClosed]. It waits
// for the end of a frame that another goroutine is writing.
func (t *Transport) WriteClose(payload []byte) error { return t.out.Close(payload) }

// Sent returns how many bytes were written to the network.
func (t *Transport) Sent() uint64 { return t.out.Sent() }

// IsSending reports whether a write to the network is in progress.
func (t *Transport) IsSending() bool { return t.out.IsSending() }

// SetBatched sets whether output is held back while the reader is busy.
func (t *Transport) SetBatched(batched bool) error {
	return t.out.SetBatched(batched, t.reader.waiting)
}

// Release sends what is held back, and holds nothing back until the reader has emptied the socket.
// An error is that of all further writes.
func (t *Transport) Release() { _ = t.out.Release() }

// CompressNext sets RSV1 in the next data frame, which begins a compressed message (RFC 7692 §6).
func (t *Transport) CompressNext() { t.out.CompressNext() }

// Close closes the connection at once.
func (t *Transport) Close() error { return t.Conn.Close() }

// Linger closes the connection without losing what was written last: closing it with unread input
// would reset it, and the reset could overtake the close frame. Linger closes the write half, and
// reads until the client closes the other half, or until the deadline if that is not zero.
func (t *Transport) Linger(until time.Time) {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		runtime.Gosched() // Most clients close at once.
		if !t.hasEnded() {
			_ = t.Conn.SetReadDeadline(until)
			_, _ = io.Copy(io.Discard, onlyReader{t.Conn})
		}
	}
	_ = t.Conn.Close()
}

// onlyReader hides WriteTo, which would allocate a larger buffer.
type onlyReader struct{ io.Reader }
