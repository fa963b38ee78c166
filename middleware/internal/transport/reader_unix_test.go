//go:build unix

package transport

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware/internal/poll"
)

// readerState is a box of the diagram of reader.
type readerState string

const (
	between        readerState = "between messages"
	waitingBetween readerState = "waiting between messages"
	inMessage      readerState = "in a message"
	waitingInside  readerState = "waiting in a message"
	parked         readerState = "parked"
)

// machine is a transport in one of the states. Its reader answers a ping only when it is told to,
// so that it can be seen between two messages.
type machine struct {
	*Transport
	conn   *memConn
	pongs  chan struct{}
	inCall bool     // of Await or Read
	log    []string // of what the reader does

	// Outside of the bubble.
	poller  *poll.Poller
	woken   chan struct{}
	expired <-chan time.Time
}

// state is valid while the reader waits for something.
func (m *machine) state() readerState {
	switch r := &m.reader; {
	case r.mayPark && r.waiting():
		return waitingBetween
	case r.mayPark:
		return between
	case !r.waiting():
		return inMessage
	case m.inCall:
		return waitingInside
	}
	return parked
}

func (*machine) Pong(string) error { return nil }

func (m *machine) Ping(string) error {
	<-m.pongs
	return nil
}

// Interrupted has the read wait on.
func (m *machine) Interrupted(time.Duration) (time.Time, error) {
	m.log = append(m.log, "asked")
	return time.Time{}, nil
}

// call has the reader call f, and parks it if that is idle.
func (m *machine) call(name string, f func() error) {
	m.inCall = true
	go func() {
		err := f()
		m.inCall = false
		result := name
		if err != nil {
			result += ": " + err.Error()
		}
		m.log = append(m.log, result)
		if err == ErrIdle && !m.Park(m.poller, func() { m.woken <- struct{}{} }) {
			m.log = append(m.log, "not parked")
		}
	}()
}

// event is what happens to a reader.
type event func(m *machine)

func await(m *machine) { m.call("Await", awaitParkable(m.Transport)) }

func readSome(m *machine) {
	m.call("Read", func() error {
		_, err := m.Read(make([]byte, 288))
		return err
	})
}

func message(m *machine)      { m.conn.send(hello) }
func part(m *machine)         { m.conn.send(hello[:2]) }
func ping(m *machine)         { m.conn.send(pingA) }
func answerPing(m *machine)   { m.pongs <- struct{}{} }
func idle(m *machine)         { time.Sleep(testIdleAfter) }
func interrupt(m *machine)    { m.Interrupt() }
func interruptTwo(m *machine) { m.Interrupt(); m.Interrupt() }

// resume is what the owner does in wake. The input that wakes is not of the bubble.
func resume(m *machine) {
	select {
	case <-m.woken:
		await(m)
	case <-m.expired:
		m.log = append(m.log, "not woken")
	}
}

const testIdleAfter = 100 * time.Millisecond

func TestReader(t *testing.T) {
	if !poll.Supported {
		t.Skip("nothing is parked here, since that needs epoll")
	}
	to := map[readerState][]event{ // from the beginning
		inMessage:      nil,
		between:        {ping, await},
		waitingBetween: {await},
		waitingInside:  {part, await, readSome, readSome},
		parked:         {await, idle},
	}
	for _, test := range []struct {
		from   readerState
		name   string
		events []event
		next   readerState
		log    string
	}{
		// The arrows of the diagram.
		{inMessage, "Await", []event{ping, await}, between, ""},
		{between, "a message", []event{message, answerPing}, inMessage, "Await"},
		{between, "no input", []event{answerPing}, waitingBetween, ""},
		{waitingBetween, "input", []event{ping}, between, ""},
		{waitingBetween, "a message", []event{message}, inMessage, "Await"},
		{inMessage, "no input", []event{readSome}, waitingInside, ""},
		{waitingInside, "input", []event{message}, inMessage, "Read"},
		{waitingBetween, "no input for long", []event{idle}, parked, "Await: transport: idle"},
		{parked, "input", []event{ping, resume}, between, ""},
		{parked, "a message", []event{message, resume}, inMessage, "Await"},

		// What does not change the state.
		{between, "no input for long", []event{idle}, between, ""},
		{inMessage, "input", []event{message}, inMessage, ""},
		{inMessage, "a long time", []event{idle, idle, await}, waitingBetween, ""},
		{waitingInside, "no input for long", []event{idle, idle}, waitingInside, ""},

		// An interruption in each state.
		{inMessage, "Interrupt, Await", []event{interrupt, await}, waitingBetween, "asked"},
		{inMessage, "Interrupt, Read", []event{interrupt, readSome}, waitingInside, "asked"},
		{between, "Interrupt", []event{interrupt}, between, ""},
		{between, "Interrupt, no input", []event{interrupt, answerPing}, waitingBetween, "asked"},
		{waitingBetween, "Interrupt", []event{interrupt}, waitingBetween, "asked"},
		{waitingBetween, "Interrupt, no input for long", []event{interrupt, idle, idle}, waitingBetween, "asked"},
		{waitingBetween, "Interrupt, a message", []event{interrupt, message}, inMessage, "asked Await"},
		{waitingInside, "Interrupt", []event{interrupt}, waitingInside, "asked"},
		{waitingInside, "Interrupt, no input for long", []event{interrupt, idle, idle}, waitingInside, "asked"},
		{parked, "Interrupt", []event{interrupt, resume}, waitingBetween, "asked"},
		{parked, "Interrupt twice", []event{interruptTwo, resume}, waitingBetween, "asked"},
		{parked, "Interrupt, no input for long", []event{interrupt, resume, idle, idle}, waitingBetween, "asked"},
	} {
		t.Run(fmt.Sprintf("%s/%s", test.from, test.name), func(t *testing.T) {
			outside := machine{
				poller: openPoller(t), woken: make(chan struct{}, 16), expired: time.After(patience),
			}
			synctest.Test(t, func(t *testing.T) {
				m := outside.start(t)
				for _, e := range to[test.from] {
					m.apply(t, e)
				}
				if got := m.state(); got != test.from {
					t.Fatalf("begins %s, want %s", got, test.from)
				}
				m.log = nil
				for _, e := range test.events {
					m.apply(t, e)
				}
				if got := m.state(); got != test.next {
					t.Errorf("is then %s, want %s", got, test.next)
				}
				if got := strings.Join(m.log, " "); got != test.log {
					t.Errorf("has done %q, want %q", got, test.log)
				}
				m.stop()
			})
			if n := len(outside.woken); n > 0 {
				t.Errorf("woken %d times too often", n)
			}
		})
	}
}

// openPoller returns a poller whose goroutine runs already, outside of the bubble.
func openPoller(t *testing.T) *poll.Poller {
	t.Helper()
	p := new(poll.Poller)
	conn, _ := connect(t, listen(t))
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var r poll.Registration
	if err := p.Add(&r, raw, func() {}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Remove(&r)
		p.Close()
	})
	return p
}

func (m machine) start(t *testing.T) *machine {
	m.conn, m.pongs = newMemConn(t), make(chan struct{})
	config := anyFrames()
	config.Owner, config.IdleAfter = &m, testIdleAfter
	m.Transport = newRaw(m.conn, nil, config)
	if err := m.SetBatched(true); err != nil {
		t.Fatal(err)
	}
	return &m
}

// holds reports whether output is held back.
func (m *machine) holds(t *testing.T) bool {
	t.Helper()
	sent := m.Sent()
	writeFlush(t, m.Transport, "\x81\x00")
	return m.Sent() == sent
}

// apply has the event happen, and waits for what follows from it.
func (m *machine) apply(t *testing.T, e event) {
	t.Helper()
	m.conn.mu.Lock() // Whatever the test has read of the reader, the reader changes later.
	before := m.Wait()
	m.conn.mu.Unlock()
	e(m)
	synctest.Wait()
	busy := m.state() == between || m.state() == inMessage
	if held := m.holds(t); held != busy {
		t.Errorf("%s: holds replies back: %v", m.state(), held)
	}
	if !busy && m.in != nil && m.in.chunk != nil {
		t.Errorf("%s: keeps a chunk", m.state())
	}
	if now := m.Wait(); busy != (now == 0) || now < before && !busy {
		t.Errorf("%s: Wait is %d, was %d", m.state(), now, before)
	}
}

// stop ends the reader, whatever it does.
func (m *machine) stop() {
	close(m.pongs)
	m.poller.Remove(&m.reader.parked)
	_ = m.conn.Close()
	synctest.Wait()
}
