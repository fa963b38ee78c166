package middleware

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// writeChunk is how much is handed to the network at a time, each with a deadline of its own,
// so that a slow client with a large message is told from one that has stopped reading.
const writeChunk = 64 << 10

// transport is the net.Conn that gorilla runs on. It knows bytes and frames, not messages.
type transport struct {
	net.Conn // the hijacked connection

	brw     *bufio.ReadWriter // net/http's buffers, whose memory gorilla goes on using
	early   []byte            // what the client sent behind its handshake
	guard   guard
	refused error // why the guard lets no more bytes through

	headSent     bool // the 101 has been sent; gorilla's own is to be dropped
	writeTimeout time.Duration
	deflateNext  atomic.Bool // the next data frame written gets RSV1 (RFC 7692 §6)

	// reads counts the begins and ends of reads: while it is odd, a read is waiting.
	reads atomic.Uint64
	// interrupted tells a read that its timeout is a question to onTimeout.
	interrupted atomic.Bool
	// onTimeout is asked by an interrupted read that has waited so long in vain since it was
	// last asked: until when to go on, or why not to.
	onTimeout func(waited time.Duration) (time.Time, error)
}

func newTransport(conn net.Conn, brw *bufio.ReadWriter) *transport {
	t := &transport{Conn: conn, brw: brw}
	early, _ := brw.Peek(brw.Reader.Buffered())
	t.early = append(t.early, early...)
	_, _ = brw.Discard(len(early))
	return t
}

// Hijack hands gorilla its connection: itself.
func (t *transport) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	brw := t.brw
	t.brw = nil
	return t, brw, nil
}

// Read returns what the guard lets through. A violation is reported once everything before it
// has been read.
func (t *transport) Read(p []byte) (int, error) {
	for t.refused == nil {
		n, err := t.readWaiting(p)
		if n, t.refused = t.guard.advance(p[:n]); n > 0 {
			return n, nil
		}
		if err != nil && t.refused == nil {
			return 0, err
		}
	}
	return 0, t.refused
}

// readWaiting reads from the network, for as long as onTimeout says if it was interrupted.
func (t *transport) readWaiting(p []byte) (int, error) {
	if len(t.early) > 0 {
		n := copy(p, t.early)
		t.early = t.early[n:]
		return n, nil
	}
	t.reads.Add(1)
	defer t.reads.Add(1)
	var began time.Time
	for {
		n, err := t.Conn.Read(p)
		if n > 0 || !t.interrupted.Load() || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		var waited time.Duration
		if !began.IsZero() {
			waited = time.Since(began)
		}
		until, err := t.onTimeout(waited)
		if err != nil {
			return 0, err
		}
		if err := t.Conn.SetReadDeadline(until); err != nil {
			return 0, err
		}
		began = time.Now()
	}
}

// interrupt has the read that is waiting, or else the next one, ask onTimeout.
func (t *transport) interrupt() {
	t.interrupted.Store(true)
	_ = t.Conn.SetReadDeadline(time.Unix(1, 0))
}

// Write sends p, which begins with a frame header unless it goes on with the payload of the
// frame before.
func (t *transport) Write(p []byte) (int, error) {
	if !t.headSent {
		t.headSent = true
		return len(p), nil
	}
	if opcode := p[0] & 0x0f; opcode == opText || opcode == opBinary {
		// A payload cannot be mistaken for a header here: deflateNext is set only between frames
		// of data, and cleared by the next one.
		if t.deflateNext.CompareAndSwap(true, false) {
			p[0] |= rsv1
		}
	}
	sent := 0
	for sent < len(p) {
		if t.writeTimeout > 0 {
			if err := t.Conn.SetWriteDeadline(time.Now().Add(t.writeTimeout)); err != nil {
				return sent, err
			}
		}
		n, err := t.Conn.Write(p[sent:min(sent+writeChunk, len(p))])
		sent += n
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// Deadlines are the transport's own business; gorilla sets one for every frame it writes.
func (t *transport) SetDeadline(time.Time) error      { return nil }
func (t *transport) SetReadDeadline(time.Time) error  { return nil }
func (t *transport) SetWriteDeadline(time.Time) error { return nil }

// linger ends the stream without losing what was written last: a close with input unread
// would reset the connection, and the reset could overtake the close frame.
func (t *transport) linger(until time.Time) {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = t.Conn.SetReadDeadline(until)
		_, _ = io.Copy(io.Discard, onlyReader{t.Conn})
	}
	_ = t.Conn.Close()
}

// onlyReader hides WriteTo, with which io.Copy would allocate a larger buffer.
type onlyReader struct{ io.Reader }
