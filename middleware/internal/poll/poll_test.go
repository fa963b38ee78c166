package poll_test

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"example.com/wsecho/middleware/internal/poll"
)

func TestWake(t *testing.T) {
	for _, test := range []struct {
		name  string
		event func(r *registration, peer *net.TCPConn)
	}{
		{"input", func(r *registration, peer *net.TCPConn) { send(r.t, peer) }},
		{"more input", func(r *registration, peer *net.TCPConn) { send(r.t, peer); send(r.t, peer) }},
		{"half-close", func(_ *registration, peer *net.TCPConn) { _ = peer.CloseWrite() }},
		{"close", func(_ *registration, peer *net.TCPConn) { _ = peer.Close() }},
		{"reset", func(_ *registration, peer *net.TCPConn) { _, _ = peer.SetLinger(0), peer.Close() }},
		{"Wake", func(r *registration, _ *net.TCPConn) { r.p.Wake(&r.Registration) }},
		{"Wake twice", func(r *registration, _ *net.TCPConn) { r.p.Wake(&r.Registration); r.p.Wake(&r.Registration) }},
		{"Wake and input", func(r *registration, peer *net.TCPConn) { r.p.Wake(&r.Registration); send(r.t, peer) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPoller(t)
			conn, peer := connect(t)
			r := add(t, p, conn)
			test.event(r, peer)
			r.wantWoken()
			if p.Remove(&r.Registration) {
				t.Error("Remove reports that wake was not called")
			}
		})
	}
}

// A connection that has input already is woken too.
func TestAddReadable(t *testing.T) {
	p := newPoller(t)
	conn, peer := connect(t)
	send(t, peer)
	add(t, p, conn).wantWoken()
}

func TestRemove(t *testing.T) {
	p := newPoller(t)
	conn, peer := connect(t)
	var none poll.Registration
	if p.Remove(&none) {
		t.Error("Remove of no registration reports true")
	}
	r := add(t, p, conn)
	if !p.Remove(&r.Registration) {
		t.Error("Remove reports that wake was called")
	}
	if p.Remove(&r.Registration) {
		t.Error("a second Remove reports true")
	}
	p.Wake(&r.Registration)
	send(t, peer)
	r.wantCalls(0)
}

// A registration is used again for the next wait.
func TestAddAgain(t *testing.T) {
	p := newPoller(t)
	conn, peer := connect(t)
	r := &registration{t: t, p: p, woken: make(chan struct{}, 16)}
	for range 3 {
		r.calls.Store(0)
		if err := p.Add(&r.Registration, raw(t, conn), r.wake); err != nil {
			t.Fatal(err)
		}
		r.wantCalls(0)
		send(t, peer)
		r.wantWoken()
		if n, err := conn.Read(make([]byte, 8)); n != 1 || err != nil {
			t.Fatalf("Read: %d, %v", n, err)
		}
	}
}

func TestAddErrors(t *testing.T) {
	p := newPoller(t)
	open, peer := connect(t)
	first := add(t, p, open)
	closed, _ := connect(t)
	rawClosed := raw(t, closed)
	_ = closed.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()

	fail := func() { t.Error("wake is called") }
	var none poll.Registration
	if err := p.Add(&none, rawClosed, fail); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed connection: %v, want %v", err, net.ErrClosed)
	}
	if err := p.Add(&none, raw(t, file), fail); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a file: %v, want %v", err, os.ErrPermission)
	}
	if err := p.Add(&none, raw(t, open), fail); !errors.Is(err, os.ErrExist) {
		t.Errorf("a registered connection: %v, want %v", err, os.ErrExist)
	}
	if p.Remove(&none) {
		t.Error("Remove after the errors reports true")
	}
	send(t, peer)
	first.wantWoken()
}

func TestClose(t *testing.T) {
	p := newPoller(t)
	p.Close()
	conn, peer := connect(t)
	for range 3 {
		wantPollers(t, 0)
		r := add(t, p, conn)
		wantPollers(t, 1)
		p.Close()
		send(t, peer)
		r.wantWoken() // Close has left the registration alone.
		p.Close()
	}
	wantPollers(t, 0)
}

// The first connection is closed while it is registered, and a second one gets its number.
func TestReusedDescriptor(t *testing.T) {
	p := newPoller(t)
	l := listen(t)
	closed, _ := connectTo(t, l)
	fd := descriptor(t, closed)
	first := add(t, p, closed)
	_ = closed.Close()
	conn, peer := connectAs(t, l, fd)
	second := add(t, p, conn)
	first.wantWoken()
	second.wantCalls(0)
	if p.Remove(&first.Registration) {
		t.Error("Remove of the first registration reports true")
	}
	p.Wake(&first.Registration)
	second.wantCalls(0)
	send(t, peer)
	second.wantWoken()
	first.wantCalls(1)
}

// connectAs returns a connection with the descriptor, which has just become free: the system
// gives the lowest one that is.
func connectAs(t *testing.T, l net.Listener, fd uintptr) (conn, peer *net.TCPConn) {
	t.Helper()
	for range 100 {
		conn, peer := connectTo(t, l)
		switch fd {
		case descriptor(t, conn):
			return conn, peer
		case descriptor(t, peer):
			return peer, conn
		}
	}
	t.Fatalf("no connection gets the descriptor %d again", fd)
	return nil, nil
}

// Whatever happens at the same time, a wait ends once: by a call of wake or by Remove.
func TestRace(t *testing.T) {
	p := newPoller(t)
	var waiters sync.WaitGroup
	for i := range 32 {
		conn, peer := connect(t)
		random := rand.New(rand.NewPCG(1, uint64(i)))
		waiters.Go(func() {
			r := &registration{t: t, p: p, woken: make(chan struct{}, 16)}
			for range 100 {
				if !raceOnce(r, conn, peer, 1+random.IntN(7)) {
					return
				}
			}
		})
	}
	waiters.Wait()
	p.Close()
	wantPollers(t, 0)
}

// raceOnce has the events in the bit set happen at the same time. It reports whether the wait
// ended as it should.
func raceOnce(r *registration, conn, peer *net.TCPConn, events int) bool {
	r.calls.Store(0)
	raw, err := conn.SyscallConn()
	if err == nil {
		err = r.p.Add(&r.Registration, raw, r.wake)
	}
	if err != nil {
		r.t.Error(err)
		return false
	}
	var racers sync.WaitGroup
	removed := false
	if events&1 != 0 {
		racers.Go(func() { _, _ = peer.Write([]byte("x")) })
	}
	if events&2 != 0 {
		racers.Go(func() { r.p.Wake(&r.Registration) })
	}
	if events&4 != 0 {
		racers.Go(func() { removed = r.p.Remove(&r.Registration) })
	}
	racers.Wait()
	if !removed {
		select {
		case <-r.woken:
		case <-time.After(patience):
			r.t.Errorf("events %03b: neither woken nor removed", events)
			return false
		}
	}
	if events&1 != 0 {
		if _, err := conn.Read(make([]byte, 8)); err != nil {
			r.t.Error(err)
			return false
		}
	}
	if n := r.calls.Load(); n > 1 || n == 1 && removed {
		r.t.Errorf("events %03b: woken %d times, removed %v", events, n, removed)
		return false
	}
	return true
}
