package poll_test

import (
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.com/wsecho/middleware/internal/poll"
	"example.com/wsecho/middleware/wstest"
)

func TestMain(m *testing.M) { wstest.Main(m) }

// patience is how long a test waits for what has to happen.
const patience = 10 * time.Second

// newPoller skips the test where a Poller is of no use.
func newPoller(t *testing.T) *poll.Poller {
	t.Helper()
	if !poll.Supported {
		t.Skip("the poller works on Linux only, since it needs epoll")
	}
	p := new(poll.Poller)
	t.Cleanup(p.Close)
	return p
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// connect returns both ends of a TCP connection.
func connect(t *testing.T) (conn, peer *net.TCPConn) {
	t.Helper()
	return connectTo(t, listen(t))
}

func connectTo(t *testing.T, l net.Listener) (conn, peer *net.TCPConn) {
	t.Helper()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dialed.Close() })
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = accepted.Close() })
	return accepted.(*net.TCPConn), dialed.(*net.TCPConn)
}

func raw(t *testing.T, conn syscall.Conn) syscall.RawConn {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func descriptor(t *testing.T, conn syscall.Conn) (fd uintptr) {
	t.Helper()
	if err := raw(t, conn).Control(func(n uintptr) { fd = n }); err != nil {
		t.Fatal(err)
	}
	return fd
}

// registration counts the calls of wake.
type registration struct {
	poll.Registration
	t     *testing.T
	p     *poll.Poller
	calls atomic.Int32
	woken chan struct{}
}

func (r *registration) wake() {
	r.calls.Add(1)
	r.woken <- struct{}{}
}

// add registers the connection.
func add(t *testing.T, p *poll.Poller, conn syscall.Conn) *registration {
	t.Helper()
	r := &registration{t: t, p: p, woken: make(chan struct{}, 16)}
	if err := p.Add(&r.Registration, raw(t, conn), r.wake); err != nil {
		t.Fatal(err)
	}
	return r
}

// wantWoken waits until wake has been called, and fails if it is called twice.
func (r *registration) wantWoken() {
	r.t.Helper()
	select {
	case <-r.woken:
	case <-time.After(patience):
		r.t.Fatal("wake is not called")
	}
	r.wantCalls(1)
}

// wantCalls lets the poller handle what is ready, and fails if wake was called more or less often.
func (r *registration) wantCalls(want int32) {
	r.t.Helper()
	conn, peer := connect(r.t)
	last := &registration{t: r.t, woken: make(chan struct{}, 16)}
	if err := r.p.Add(&last.Registration, raw(r.t, conn), last.wake); err != nil {
		r.t.Fatal(err)
	}
	send(r.t, peer)
	select {
	case <-last.woken:
	case <-time.After(patience):
		r.t.Fatal("the poller has stopped")
	}
	if got := r.calls.Load(); got != want {
		r.t.Errorf("wake was called %d times, want %d", got, want)
	}
}

func send(t *testing.T, peer net.Conn) {
	t.Helper()
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
}

// wantPollers waits until so many goroutines of pollers are left.
func wantPollers(t *testing.T, want int) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	got := -1
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); runtime.Gosched() {
		all := string(stacks[:runtime.Stack(stacks, true)])
		if got = strings.Count(all, "poll.(*Poller).wait("); got == want {
			return
		}
	}
	t.Fatalf("%d goroutines of pollers, want %d", got, want)
}
