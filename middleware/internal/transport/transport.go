// Package transport implements the net.Conn that the WebSocket library runs on. It checks the frames
// read, combines small writes, holds replies back while the reader is busy, and needs little memory
// while the reader waits.
//
// It works on bytes and frames. It must not know messages, HTTP or the library.
package transport

import (
	"io"
	"net"
	"runtime"
	"time"

	"example.com/wsecho/middleware/internal/frame"
	"example.com/wsecho/middleware/internal/poll"
)

// Transport is a connection that checks frames. One goroutine at a time may read from it. Writers
// must not interleave the pieces of their frames. Create one with [New].
type Transport struct {
	net.Conn // the hijacked connection
	owner    Owner

	guard   frame.Guard
	refused error // from guard; ends the reading

	reader reader
	in     input
	out    output
}

// Owner is called by the reader.
type Owner interface {
	// Ping is called for a ping between two messages.
	Ping(payload string) error

	// Interrupted is called, after [Transport.Interrupt], by the next read from the network, and
	// again when the deadline that it returned is exceeded. It returns a deadline, zero for none, or the error
	// for the read to return. waited is how long the read has waited since the last call.
	Interrupted(waited time.Duration) (until time.Time, err error)
}

// Config configures a Transport.
type Config struct {
	Owner Owner
	Guard frame.Guard

	// WriteTimeout is the timeout for each 256 KiB written, give or take a quarter. If negative,
	// there is none.
	WriteTimeout time.Duration

	// IdleAfter is how long [Transport.Await] waits for input before it returns [ErrIdle]. If zero,
	// or if the connection cannot be parked, there is no limit.
	IdleAfter time.Duration
}

// New returns a transport on conn, from which received was read already.
func New(conn net.Conn, received []byte, config Config) *Transport {
	t := &Transport{Conn: conn, owner: config.Owner, guard: config.Guard}
	t.out.conn, t.out.timeout = conn, config.WriteTimeout
	t.out.pieces = 1 // the answer to the handshake
	t.initRawRead()
	if poll.Supported && t.in.raw.conn != nil {
		t.reader.idleAfter = config.IdleAfter
	}
	var n int
	n, t.refused = t.guard.Advance(received)
	t.in.keep(received[:n])
	return t
}

// Read reads frames that were checked. After everything before them was read, the error is a
// [*frame.Violation] for a violation and a [*frame.CloseReceived] for the client's close frame.
func (t *Transport) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		switch {
		case len(t.in.unread) > 0:
			n = t.in.take(p)
		case t.refused != nil:
			err = t.refused
		case len(p) >= directRead:
			n, err = t.readDirect(p)
		default:
			err = t.fill()
		}
	}
	return n, err
}

// readDirect receives into p.
func (t *Transport) readDirect(p []byte) (int, error) {
	received, err := t.receive(p)
	n, refused := t.guard.Advance(received)
	t.refused = refused
	if n > 0 || refused != nil {
		return n, nil
	}
	return 0, err
}

// fill receives into a buffer of the transport.
func (t *Transport) fill() error {
	received, err := t.receive(nil)
	n, refused := t.guard.Advance(received)
	t.refused = refused
	t.in.keep(received[:n])
	if n > 0 || refused != nil {
		return nil
	}
	return err
}

// NextCompressed reports whether the next message is compressed. It must be called once for each.
func (t *Transport) NextCompressed() bool { return t.guard.NextCompressed() }

// InMessage reports whether the last message received is incomplete.
func (t *Transport) InMessage() bool { return t.guard.InMessage() }

// Write buffers a piece of output: a frame header with payload, or more payload of the same frame.
// [Transport.Flush] sends it.
func (t *Transport) Write(p []byte) (int, error) { return t.out.write(p) }

// Flush sends the buffered output, unless it is held back.
func (t *Transport) Flush() error { return t.out.flush() }

// Release sends the buffered output, and holds nothing back until the reader has input.
func (t *Transport) Release() error { return t.out.release() }

// SetBatched sets whether output is held back while the reader is busy.
func (t *Transport) SetBatched(batched bool) error { return t.out.setBatched(batched) }

// CompressNext sets RSV1 in the next data frame, which begins a compressed message (RFC 7692 §6).
func (t *Transport) CompressNext() { t.out.compressNext.Store(true) }

// SetDeadline does nothing: the transport sets deadlines itself.
func (t *Transport) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing, like SetDeadline.
func (t *Transport) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, like SetDeadline.
func (t *Transport) SetWriteDeadline(time.Time) error { return nil }

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
