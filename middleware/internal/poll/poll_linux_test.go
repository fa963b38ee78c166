package poll_test

import (
	"errors"
	"syscall"
	"testing"

	"example.com/wsecho/middleware/internal/poll"
)

// A Poller that cannot be opened is opened by a later Add.
func TestAddWithoutDescriptors(t *testing.T) {
	p := newPoller(t)
	conn, peer := connect(t)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	none := syscall.Rlimit{Cur: 0, Max: before.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	var r poll.Registration
	err := p.Add(&r, raw(t, conn), func() { t.Error("wake is called") })
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EMFILE) {
		t.Errorf("Add: %v, want %v", err, syscall.EMFILE)
	}
	p.Close()
	again := add(t, p, conn)
	send(t, peer)
	again.wantWoken()
}

// A connection that was closed elsewhere is woken, and no other.
func TestSweep(t *testing.T) {
	p := newPoller(t)
	closed, _ := connect(t)
	open, peer := connect(t)
	first, second := add(t, p, closed), add(t, p, open)
	_ = closed.Close()
	first.wantWoken()
	second.wantCalls(0)
	send(t, peer)
	second.wantWoken()
}
