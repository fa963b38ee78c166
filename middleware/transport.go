package middleware

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// transport is the net.Conn that gorilla runs on. It knows bytes and frames, not messages.
type transport struct {
	net.Conn // the hijacked connection

	engine  *bufio.Reader     // gorilla's, which reads from this transport
	brw     *bufio.ReadWriter // net/http's, until gorilla has taken over
	refused error             // why the guard lets no more bytes through

	// waits counts the begins and ends of waiting for input: while it is odd, a read waits.
	waits     atomic.Uint64
	yields    int           // in a row
	awaiting  bool          // between two messages
	idleAfter time.Duration // how long to await before errIdle; 0 for ever
	idleBy    time.Time     // the deadline that is set for it; zero for none

	// interrupted tells a read that its timeout is a question to onTimeout.
	interrupted atomic.Bool
	// onTimeout is asked by an interrupted read that has waited so long in vain since it was
	// last asked: until when to go on, or why not to.
	onTimeout func(waited time.Duration) (time.Time, error)
	onPing    func(payload string) error

	in    input
	out   output
	guard guard
}

// errIdle says that there was nothing to be read for a while.
var errIdle = errors.New("middleware: nothing to read")

// lentBuffer is how much is read or written at a time, through a buffer that a connection
// borrows while there is something in it; a connection that waits has none.
const lentBuffer = 64 << 10

var lentBuffers = sync.Pool{New: func() any { return new([lentBuffer]byte) }}

func newTransport(conn net.Conn, brw *bufio.ReadWriter, writeTimeout time.Duration) *transport {
	t := &transport{Conn: conn, brw: brw}
	t.out.conn, t.out.timeout = conn, writeTimeout
	t.initPolling()
	// What the client has sent behind its handshake are frames.
	early, _ := brw.Peek(brw.Reader.Buffered())
	t.in.early = append(t.in.early, early...)
	_, _ = brw.Discard(len(early))
	return t
}

// Read returns what the guard lets through. A violation is reported once everything before it
// has been read.
func (t *transport) Read(p []byte) (int, error) {
	for {
		if n := t.in.take(p); n > 0 {
			return n, nil
		}
		if t.refused != nil {
			return 0, t.refused
		}
		n, lent, err := t.receive(p)
		received := p
		if lent != nil {
			received = lent
		}
		n, t.refused = t.guard.advance(received[:n])
		switch {
		case lent != nil:
			t.in.keep(lent[:n])
		case n > 0:
			return n, nil
		}
		if n == 0 && err != nil && t.refused == nil {
			return 0, err
		}
	}
}

// await waits between two messages until there is something to be read of the next one, or the
// reason why there is not. It takes care of control frames on the way, which gorilla would go on
// waiting behind. With errIdle the connection still counts as waiting.
func (t *transport) await() error {
	t.awaiting = true
	defer func() { t.awaiting = false }()
	for t.engine.Buffered() == 0 && t.refused == nil {
		if err := t.answerControlFrames(); err != nil || len(t.in.unread) > 0 {
			return err
		}
		if err := t.sendReplies(); err != nil {
			return err
		}
		if err := t.fill(); err != nil {
			return err
		}
	}
	return nil
}

// maxYields is how often in a row a connection lets others go first. While somebody is runnable
// the runtime does not ask who else has sent something.
const maxYields = 4

// sendReplies sends the replies to what has been read, if that was all there was: the next read is
// going to wait, or is for what the client sends on reading them.
func (t *transport) sendReplies() error {
	if t.in.polling.full {
		return nil
	}
	effort, err := t.out.sendHeld()
	if effort != 1 || t.yields == maxYields {
		t.yields = 0
		return err
	}
	// A client with one message in flight may have answered once others had their turn: that is
	// cheaper than to ask in vain and to be woken. Where replies take long, it is not.
	t.yields++
	runtime.Gosched()
	return err
}

// fill receives what there is into a buffer of the transport's.
func (t *transport) fill() error {
	n, lent, err := t.receive(nil)
	n, t.refused = t.guard.advance(lent[:n])
	t.in.keep(lent[:n])
	if n == 0 && t.refused == nil {
		return err
	}
	return nil
}

func (t *transport) answerControlFrames() error {
	for {
		opcode, payload, size := controlFrame(t.in.unread)
		if size == 0 {
			return nil
		}
		if opcode == opPing {
			if err := t.onPing(string(payload)); err != nil {
				return err
			}
		}
		t.in.keep(t.in.unread[size:])
	}
}

// receive reads from the network once, for as long as waitOn says: n bytes into p, or into
// another buffer that it returns.
func (t *transport) receive(p []byte) (n int, lent []byte, err error) {
	if early := t.in.early; len(early) > 0 {
		t.in.early = nil
		return len(early), early, nil
	}
	var began time.Time
	for {
		n, lent, err = t.poll(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err = t.waitOn(began); err != nil {
			n = 0
			break
		}
		began = time.Now()
	}
	if err != errIdle {
		t.stopWaiting()
	}
	return n, lent, err
}

// waitOn decides whether a read goes on whose deadline is over and that was last asked then. If it
// has not waited yet, the deadline was that of a wait before.
func (t *transport) waitOn(asked time.Time) error {
	if !t.interrupted.Load() {
		t.idleBy = time.Time{}
		err := t.setReadDeadline(time.Time{})
		if err == nil && t.awaiting && t.isWaiting() {
			return errIdle
		}
		return err
	}
	var waited time.Duration
	if !asked.IsZero() {
		waited = time.Since(asked)
	}
	until, err := t.onTimeout(waited)
	if err != nil {
		return err
	}
	return t.Conn.SetReadDeadline(until)
}

// limitIdling leaves alone a deadline that is still far off, as output does.
func (t *transport) limitIdling() error {
	if !t.awaiting || t.idleAfter == 0 || t.interrupted.Load() {
		return nil
	}
	if time.Until(t.idleBy) > t.idleAfter/2 {
		return nil
	}
	t.idleBy = time.Now().Add(t.idleAfter)
	return t.setReadDeadline(t.idleBy)
}

// setReadDeadline does not take an interruption back.
func (t *transport) setReadDeadline(until time.Time) error {
	err := t.Conn.SetReadDeadline(until)
	if t.interrupted.Load() {
		err = t.Conn.SetReadDeadline(longAgo)
	}
	return err
}

var longAgo = time.Unix(1, 0)

// interrupt has the read that is waiting, or else the next one, ask onTimeout.
func (t *transport) interrupt() {
	t.interrupted.Store(true)
	_ = t.Conn.SetReadDeadline(longAgo)
}

// startWaiting is called before a read waits: whatever is held back leaves now.
func (t *transport) startWaiting() error {
	if !t.isWaiting() {
		t.waits.Add(1)
	}
	if err := t.limitIdling(); err != nil {
		return err
	}
	return t.out.release()
}

func (t *transport) stopWaiting() {
	if t.isWaiting() {
		t.waits.Add(1)
		t.out.resume()
	}
}

func (t *transport) isWaiting() bool { return t.waits.Load()%2 == 1 }

// Write takes the next piece of output; flush sends it.
func (t *transport) Write(p []byte) (int, error) { return t.out.Write(p) }

// Deadlines are the transport's own business; gorilla sets one for every frame it writes.
func (t *transport) SetDeadline(time.Time) error      { return nil }
func (t *transport) SetReadDeadline(time.Time) error  { return nil }
func (t *transport) SetWriteDeadline(time.Time) error { return nil }

// linger ends the stream without losing what was written last: a close with input unread
// would reset the connection, and the reset could overtake the close frame.
func (t *transport) linger(until time.Time) {
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
