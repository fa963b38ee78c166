//go:build unix

package transport

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware/internal/poll"
)

// The time before a reader is idle doubles when it was parked briefly, and is the first one again
// when it was parked for long.
func TestIdleTime(t *testing.T) {
	if !poll.Supported {
		t.Skip("nothing is parked here, since that needs epoll")
	}
	p := openPoller(t)
	synctest.Test(t, func(t *testing.T) {
		conn, config := newMemConn(t), anyFrames()
		config.IdleAfter = 100 * ms
		tr := newRaw(conn, nil, config)
		for i, test := range []struct{ idleAfter, parked time.Duration }{
			{100 * ms, 0},
			{200 * ms, time.Second},
			{400 * ms, 10*time.Second - 1},
			{800 * ms, 10 * time.Second},
			{100 * ms, time.Second},
			{200 * ms, time.Second},
			{400 * ms, time.Second},
			{800 * ms, time.Second},
			{1600 * ms, time.Second},
			{3200 * ms, time.Second},
			{5 * time.Second, time.Second},
			{5 * time.Second, time.Second},
			{5 * time.Second, time.Hour},
			{100 * ms, time.Hour},
			{100 * ms, time.Hour},
		} {
			if took, err := after(awaitParkable(tr)); took != test.idleAfter || err != ErrIdle {
				t.Fatalf("wait %d: %v after %v, want %v after %v", i, err, took, ErrIdle, test.idleAfter)
			}
			woken := 0
			if !tr.Park(p, func() { woken++ }) {
				t.Fatalf("wait %d: not parked", i)
			}
			time.Sleep(test.parked)
			p.Wake(&tr.reader.parked) // as input does, which is not of the bubble
			if woken != 1 {
				t.Errorf("wait %d: woken %d times", i, woken)
			}
		}
	})
}

// Doubling ends before it overflows.
func TestIdleTimeLimit(t *testing.T) {
	for _, first := range []time.Duration{1, ms, 100 * ms, 4 * time.Second, 5 * time.Second, time.Hour} {
		r := reader{idleAfter: first}
		before := r.idleTime()
		for range 300 {
			r.unparked(worthParking - 1)
			if now := r.idleTime(); now < before || now > 5*time.Second {
				t.Fatalf("first %v: %v follows %v", first, now, before)
			} else {
				before = now
			}
		}
		if before != 5*time.Second {
			t.Errorf("first %v: ends with %v, want 5s", first, before)
		}
		if r.unparked(worthParking); r.idleTime() != min(first, 5*time.Second) {
			t.Errorf("first %v: begins again with %v", first, r.idleTime())
		}
	}
}

// A connection that is closed cannot be parked, and nobody tries again.
func TestParkClosed(t *testing.T) {
	conn, _ := connect(t, listen(t))
	config := anyFrames()
	config.IdleAfter = time.Hour
	tr := New(conn, nil, config)
	_ = conn.Close()
	var p poll.Poller
	defer p.Close()
	if tr.Park(&p, func() { t.Error("wake is called") }) {
		t.Error("a closed connection is parked")
	}
	tr.reader.mayPark = true
	if tr.reader.mayIdle() {
		t.Error("it would be idle again")
	}
	tr.Interrupt()
}

// Whatever comes while a connection is being parked either wakes it, once, or has it not be
// parked.
func TestParkRace(t *testing.T) {
	if !poll.Supported {
		t.Skip("nothing is parked here, since that needs epoll")
	}
	var p poll.Poller
	defer p.Close()
	l := listen(t)
	var readers sync.WaitGroup
	for i := range 8 {
		server, client := connect(t, l)
		random := rand.New(rand.NewPCG(2, uint64(i)))
		readers.Go(func() {
			for range 300 {
				if !parkRace(t, &p, server, client, 1+random.IntN(3)) {
					return
				}
			}
		})
	}
	readers.Wait()
}

var errClosing = errors.New("closing")

const (
	racesInput     = 1
	racesInterrupt = 2
)

// parkRace parks the server while something of the bit set happens. It reports whether the next
// round can begin.
func parkRace(t *testing.T, p *poll.Poller, server, client net.Conn, events int) bool {
	config, o := anyFrames(), new(owner)
	o.interrupted = func(time.Duration) (time.Time, error) { return time.Time{}, errClosing }
	config.Owner, config.IdleAfter = o, 1
	_ = server.SetReadDeadline(time.Time{})
	tr := New(server, nil, config)
	if err := tr.Await(true); err != ErrIdle {
		t.Errorf("Await: %v, want %v", err, ErrIdle)
		return false
	}

	var racers sync.WaitGroup
	if events&racesInput != 0 {
		racers.Go(func() { _, _ = client.Write([]byte(hello)) })
	}
	if events&racesInterrupt != 0 {
		racers.Go(tr.Interrupt)
	}
	var calls atomic.Int32
	woken := make(chan struct{}, 16)
	parked := tr.Park(p, func() {
		calls.Add(1)
		woken <- struct{}{}
	})
	racers.Wait()
	if parked {
		select {
		case <-woken:
		case <-time.After(patience):
			t.Errorf("events %02b: parked for ever", events)
			return false
		}
	}
	tr.Interrupt() // wakes nobody any more
	if n := calls.Load(); n > 1 || n == 1 != parked {
		t.Errorf("events %02b: parked %v, and woken %d times", events, parked, n)
		return false
	}
	if p.Remove(&tr.reader.parked) {
		t.Errorf("events %02b: still registered", events)
		return false
	}
	return drainRound(t, tr, server, events)
}

// drainRound has the reader go on, as an interrupted one does, and reads what was sent.
func drainRound(t *testing.T, tr *Transport, server net.Conn, events int) bool {
	if err := tr.Await(true); err != errClosing {
		t.Errorf("events %02b: Await: %v, want %v", events, err, errClosing)
		return false
	}
	if events&racesInput == 0 {
		return true
	}
	_ = server.SetReadDeadline(time.Now().Add(patience))
	p := make([]byte, 64)
	n, err := server.Read(p)
	if string(p[:n]) != hello || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("events %02b: Read: %q, %v", events, p[:n], err)
		return false
	}
	return true
}

// An Interrupt between ErrIdle and Park is not lost.
func TestInterruptBeforePark(t *testing.T) {
	if !poll.Supported {
		t.Skip("there is no poller on this platform")
	}
	server, _ := connect(t, listen(t))
	bound(t, server)
	config := anyFrames()
	config.IdleAfter = 1
	tr := New(server, nil, config)
	if err := tr.Await(true); err != ErrIdle {
		t.Fatalf("Await: %v", err)
	}
	tr.Interrupt()
	var p poll.Poller
	defer p.Close()
	if tr.Park(&p, func() { t.Error("wake is called") }) {
		t.Error("parked for ever")
		p.Remove(&tr.reader.parked)
	}
}
