package transport

import (
	"errors"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"example.com/wsecho/middleware/internal/frame"
	"example.com/wsecho/middleware/internal/poll"
)

// reader is the state of the goroutine that reads.
//
//	┌──────────────────┐   input, Await returns    ┌───────────────────┐
//	│ between messages │ ────────────────────────► │ reading a message │
//	│                  │ ◄──────────────────────── │ or handling it    │
//	└──────────────────┘      Await is called      └───────────────────┘
//	   │ no input  ▲ input                            │ no input  ▲ input
//	   ▼           │                                  ▼           │
//	┌──────────────────┐                           ┌───────────────────┐
//	│     waiting      │                           │      waiting      │
//	└──────────────────┘                           └───────────────────┘
//	   │ no input for idleAfter: Await returns ErrIdle, Park is called
//	   ▼
//	┌──────────────────┐
//	│      parked      │ ── input, or Interrupt: wake is called ──► between messages
//	└──────────────────┘
//
// Nothing is held back while the reader waits or is parked. From Interrupt on the connection is
// closing: the states are the same, but no reader is parked, and each one that has to wait asks
// the owner for how long.
type reader struct {
	between     bool          // inside Await
	waits       atomic.Uint64 // begins and ends of waiting; odd while the reader waits or is parked
	interrupted atomic.Bool

	idleAfter   time.Duration // 0 if the reader is not to be parked
	idleDoubled uint8         // so often, see idleTime
	yields      uint8         // in a row, see sendReplies
	idleBy      time.Time     // the deadline that is set for it; zero for none
	poller      atomic.Pointer[poll.Poller]
	parked      poll.Registration // with the poller
}

// ErrIdle is returned by [Transport.Await] when there was nothing to read for a while.
var ErrIdle = errors.New("transport: idle")

// Await waits between two messages until there is something to be read of the next one, or the
// reason why there is not. It answers pings on the way: the library would go on waiting behind a
// control frame. After [ErrIdle] the reader still counts as waiting.
func (t *Transport) Await() error {
	t.reader.between = true
	defer func() { t.reader.between = false }()
	for t.refused == nil {
		if err := t.takeControlFrames(); err != nil || len(t.in.unread) > 0 {
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

func (t *Transport) takeControlFrames() error {
	for {
		opcode, payload, size := frame.ParseControl(t.in.unread)
		if size == 0 {
			return nil
		}
		if opcode == frame.Ping {
			if err := t.owner.Ping(string(payload)); err != nil {
				return err
			}
		}
		t.in.keep(t.in.unread[size:])
	}
}

// maxYields is how often in a row a reader lets other goroutines go first. While somebody is
// runnable the runtime does not poll the network.
const maxYields = 4

// sendReplies sends the replies to what has been read, if that was all there was: the next read is
// going to wait, or is for what the client sends in response.
func (t *Transport) sendReplies() error {
	if t.in.raw.full {
		return nil
	}
	pieces, err := t.out.sendHeld()
	if pieces != 1 || t.reader.yields == maxYields {
		t.reader.yields = 0
		return err
	}
	// A client with one message in flight may have answered once other goroutines have run: that
	// is cheaper than to read in vain and to be woken. Where replies take long, it is not.
	t.reader.yields++
	runtime.Gosched()
	return err
}

// receive reads from the network once, waiting if need be: into direct, if that is large, or into
// a buffer of the transport.
func (t *Transport) receive(direct []byte) (received []byte, err error) {
	var asked time.Time // when the owner was
	for {
		received, err = t.readOnce(direct)
		if len(received) > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err = t.deadlineExceeded(asked); err != nil {
			break
		}
		asked = time.Now()
	}
	if err != ErrIdle {
		t.stopWaiting()
	}
	return received, err
}

// deadlineExceeded decides whether a read goes on. It has asked the owner at that time, if it has.
func (t *Transport) deadlineExceeded(asked time.Time) error {
	if !t.reader.interrupted.Load() {
		return t.idleDeadlineExceeded()
	}
	var waited time.Duration
	if !asked.IsZero() {
		waited = time.Since(asked)
	}
	until, err := t.owner.Interrupted(waited)
	if err != nil {
		return err
	}
	return t.Conn.SetReadDeadline(until)
}

// startWaiting is called before a read waits.
func (t *Transport) startWaiting() error {
	if !t.reader.waiting() {
		t.reader.waits.Add(1)
	}
	if err := t.setIdleDeadline(); err != nil {
		return err
	}
	return t.out.release()
}

func (t *Transport) stopWaiting() {
	if t.reader.waiting() {
		t.reader.waits.Add(1)
		t.out.hold()
	}
}

func (r *reader) waiting() bool { return r.waits.Load()%2 == 1 }

// Wait identifies the wait for input that is under way; it is 0 if there is none. A reader that is
// busy, or that nobody calls, says nothing about the client.
func (t *Transport) Wait() uint64 {
	if n := t.reader.waits.Load(); n%2 == 1 {
		return n
	}
	return 0
}

// pastDeadline has a read return at once.
var pastDeadline = time.Unix(1, 0)

// Interrupt has the read that is waiting, or else the next one that has to, ask the owner. It may
// be called from any goroutine; a parked connection is woken.
func (t *Transport) Interrupt() {
	t.reader.interrupted.Store(true)
	_ = t.Conn.SetReadDeadline(pastDeadline)
	if p := t.reader.poller.Load(); p != nil {
		p.Wake(&t.reader.parked)
	}
}

// setReadDeadline does not undo an interruption.
func (t *Transport) setReadDeadline(until time.Time) error {
	err := t.Conn.SetReadDeadline(until)
	if t.reader.interrupted.Load() {
		err = t.Conn.SetReadDeadline(pastDeadline)
	}
	return err
}
