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

// reader is the state of the reader.
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
//	   │ no input for idleTime: Await returns ErrIdle, Park is called
//	   ▼
//	┌──────────────────┐
//	│      parked      │ ── input, or Interrupt: wake is called ──► between messages
//	└──────────────────┘    or Park returns false
//
// No output is held back while the reader waits, is parked or pauses (see keepPace). After
// Interrupt the connection is closing: the states are the same, but the reader is not parked, and
// asks the owner for a deadline before it waits.
type reader struct {
	mayPark    bool          // in Await, its argument
	yielded    bool          // see sendReplies
	interrupts atomic.Uint32 // how often Interrupt was called
	waits      atomic.Uint64 // counts begins and ends of waits: odd while waiting or parked

	// parkFailed means that Park would fail again. It is atomic, since Park may be concurrent with
	// another reader's Await.
	parkFailed  atomic.Bool
	idleDoubled uint32 // how often, see idleTime

	idleAfter    time.Duration // 0 if the reader must not be parked
	idleDeadline time.Time     // zero if not set; past while parked
	slow         slowness
	pace         *pace // nil if there is no limit
	poller       atomic.Pointer[poll.Poller]
	parked       poll.Registration // with poller
}

// ErrIdle is returned by [Transport.Await] if the connection is idle and can be parked.
var ErrIdle = errors.New("transport: idle")

// Await waits until there is something to read of the next message, or an error, which may be one
// that Read returns. It handles control frames itself, because the library would wait for a data
// frame after them. Only if mayPark is true, it may return [ErrIdle], after which the reader still
// counts as waiting.
func (t *Transport) Await(mayPark bool) error {
	t.reader.mayPark = mayPark
	defer func() { t.reader.mayPark = false }()
	if t.in == nil {
		t.in = newInput()
		t.reader.unparked(time.Since(t.reader.idleDeadline))
	}
	for {
		if err := t.keepPace(); err != nil {
			return err
		}
		if err := t.takeControlFrames(); err != nil || len(t.in.unread) > 0 {
			return err
		}
		if t.refused != nil {
			return t.refused
		}
		if len(t.in.rest) > 0 {
			t.check()
			continue
		}
		if err := t.sendReplies(); err != nil {
			return err
		}
		err := t.fill()
		if err == ErrIdle {
			t.in.free()
			t.in = nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *Transport) takeControlFrames() error {
	for {
		opcode, payload, size := frame.ParseControl(t.in.unread)
		if size == 0 {
			return nil
		}
		answer := t.owner.Pong
		if opcode == frame.Ping {
			answer = t.owner.Ping
		}
		if err := answer(string(payload)); err != nil {
			return err
		}
		t.in.skip(size)
	}
}

// sendReplies sends the replies held back if the last read has emptied the socket: the next read
// will wait, or needs the client to have the replies.
func (t *Transport) sendReplies() error {
	if t.in.raw.full {
		return nil
	}
	pieces, err := t.out.SendHeld()
	if pieces != 1 || t.reader.yielded {
		t.reader.yielded = false
		return err
	}
	// After one small reply, the client may send its next message while other goroutines run. Then
	// a read in vain and a wake-up are saved. Not twice in a row: the runtime may not poll the
	// network while a goroutine is runnable.
	t.reader.yielded = true
	runtime.Gosched()
	return err
}

// receive waits for input and reads once, into direct or, if that is nil, into a buffer of the
// transport.
func (t *Transport) receive(direct []byte) (received []byte, err error) {
	var asked time.Time // when Interrupted was called last
	for {
		received, err = t.readOnce(direct)
		if len(received) > 0 || !isReadTimeout(err) {
			break
		}
		if err = t.deadlineExceeded(asked); err != nil {
			break
		}
		asked = time.Now()
	}
	if err != ErrIdle {
		t.stopWaiting()
		t.reader.slow.stop()
	}
	return received, err
}

// deadlineExceeded returns nil if the read is to be repeated.
func (t *Transport) deadlineExceeded(asked time.Time) error {
	interrupts := t.reader.interrupts.Load()
	if interrupts == 0 {
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
	return t.setReadDeadline(until, interrupts)
}

// outputError is an error of a write within a read: its timeout is not that of the read.
type outputError struct{ error }

func (e outputError) Unwrap() error { return e.error }

func isReadTimeout(err error) bool {
	_, ofWrite := err.(outputError)
	return !ofWrite && errors.Is(err, os.ErrDeadlineExceeded)
}

// startWaiting is called before a read waits.
func (t *Transport) startWaiting() error {
	if !t.reader.waiting() {
		t.reader.waits.Add(1)
	}
	if err := t.out.Release(); err != nil {
		return outputError{err}
	}
	if err := t.startWaitingInMessage(); err != nil {
		return err
	}
	return t.setIdleDeadline()
}

// stopWaiting is called after a read.
func (t *Transport) stopWaiting() {
	if t.reader.waiting() {
		t.reader.waits.Add(1)
		t.out.Resume()
	}
}

func (r *reader) interrupted() bool { return r.interrupts.Load() > 0 }

func (r *reader) waiting() bool { return r.waits.Load()%2 == 1 }

// Wait returns a number for the current wait of the reader, 0 if it does not wait. As long as the
// number stays the same, the client has sent nothing.
func (t *Transport) Wait() uint64 {
	if n := t.reader.waits.Load(); n%2 == 1 {
		return n
	}
	return 0
}

// pastDeadline makes reads return at once.
var pastDeadline = time.Unix(1, 0)

// Interrupt makes the reader call [Owner] when it waits or has to wait. It wakes a parked reader.
// It may be called from any goroutine.
func (t *Transport) Interrupt() {
	t.reader.interrupts.Add(1)
	_ = t.Conn.SetReadDeadline(pastDeadline)
	t.reader.pace.interrupt()
	if p := t.reader.poller.Load(); p != nil {
		p.Wake(&t.reader.parked)
	}
}

// setReadDeadline sets the deadline, unless there were more interrupts than the caller knows of:
// then the next read must return at once.
func (t *Transport) setReadDeadline(until time.Time, interrupts uint32) error {
	err := t.Conn.SetReadDeadline(until)
	if t.reader.interrupts.Load() != interrupts {
		err = t.Conn.SetReadDeadline(pastDeadline)
	}
	return err
}
