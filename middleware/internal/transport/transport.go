// Package transport is the net.Conn that the WebSocket library runs on. It guards the frames that
// are read, puts together what is written, holds replies back while the reader is busy, and lets
// the reader wait with as little memory as possible.
//
// It works on bytes and frames. It must not know messages, HTTP or the library.
package transport

import (
	"io"
	"net"
	"runtime"
	"time"

	"example.com/wsecho/middleware/internal/frame"
)

// Transport is a connection with a frame guard. One goroutine at a time may read from it, any
// number may write if they agree on who writes a frame. Make one with [New].
type Transport struct {
	net.Conn // below
	owner    Owner

	guard   frame.Guard
	refused error // why the guard lets no more bytes through

	reader reader
	in     input
	out    output
}

// Owner is asked from within a read.
type Owner interface {
	// Ping is called for a ping between two messages.
	Ping(payload string) error

	// Interrupted is called, after [Transport.Interrupt], by each read that has to wait: at once,
	// and again when the time that it has returned is over. It returns until when to wait, the zero
	// time for no limit, or the error that the read returns instead. waited is how long the read
	// has waited since the last call.
	Interrupted(waited time.Duration) (until time.Time, err error)
}

// Config is what a Transport needs to know beside its connection.
type Config struct {
	Owner Owner
	Guard frame.Guard

	// WriteTimeout is for each 256 KiB written, give or take a quarter. If it is negative, there
	// is none.
	WriteTimeout time.Duration

	// IdleAfter is after which time without input [Transport.Await] returns [ErrIdle]. If it is
	// zero, or the connection cannot be parked, Await waits on.
	IdleAfter time.Duration
}

// New returns a transport on conn, of which received has been read already.
func New(conn net.Conn, received []byte, config Config) *Transport {
	t := &Transport{Conn: conn, owner: config.Owner, guard: config.Guard}
	t.out.conn, t.out.timeout = conn, config.WriteTimeout
	t.out.pieces = 1 // the answer to the handshake
	t.initRawRead()
	if t.in.raw.conn != nil {
		t.reader.idleAfter = config.IdleAfter
	}
	var n int
	n, t.refused = t.guard.Advance(received)
	t.in.keep(received[:n])
	return t
}

// Read returns what the guard lets through. A violation is reported, as a [*frame.Violation], once
// everything before it has been read, the client's close frame as a [*frame.CloseReceived].
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

// NextCompressed reports whether the next message is compressed. It is called once for each.
func (t *Transport) NextCompressed() bool { return t.guard.NextCompressed() }

// InMessage reports whether more of the last message that has begun is to be received.
func (t *Transport) InMessage() bool { return t.guard.InMessage() }

// Write takes the next piece of output, which begins with a frame header unless it goes on with
// the payload of the frame before. [Transport.Flush] sends it.
func (t *Transport) Write(p []byte) (int, error) { return t.out.write(p) }

// Flush sends what was written, unless it is held back.
func (t *Transport) Flush() error { return t.out.flush() }

// Release sends what was written, and has the next writes sent at once until the reader goes on.
func (t *Transport) Release() error { return t.out.release() }

// SetBatched has writes held back while the reader is busy, or no longer.
func (t *Transport) SetBatched(batched bool) error { return t.out.setBatched(batched) }

// CompressNext says that the next data frame begins a compressed message (RFC 7692 §6).
func (t *Transport) CompressNext() { t.out.compressNext.Store(true) }

// SetDeadline does nothing: deadlines are the transport's own business.
func (t *Transport) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing, as SetDeadline.
func (t *Transport) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, as SetDeadline. The library sets one for every frame it writes.
func (t *Transport) SetWriteDeadline(time.Time) error { return nil }

// Linger ends the stream in both directions without losing what was written last: closing a
// connection with input unread resets it, and the reset could overtake the close frame. It waits
// for the end of the client's stream, or until the time if that is not zero.
func (t *Transport) Linger(until time.Time) {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		runtime.Gosched() // Most clients end the stream at once.
		if !t.hasEnded() {
			_ = t.Conn.SetReadDeadline(until)
			_, _ = io.Copy(io.Discard, onlyReader{t.Conn})
		}
	}
	_ = t.Conn.Close()
}

// onlyReader hides WriteTo, with which io.Copy would allocate a larger buffer.
type onlyReader struct{ io.Reader }
