package poll

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// Supported is whether this platform has a Poller.
const Supported = true

// Poller waits with epoll(7), because the runtime's poller can wake only goroutines. One goroutine
// waits for all descriptors, from the first registration until Close. The zero value is ready to
// use.
type Poller struct {
	mu      sync.Mutex
	epoll   *os.File                // nil if not open
	waiting map[int32]*Registration // by descriptor
	sweeper *time.Timer             // nil if not running
}

// Add registers a connection. wake is called once, when it is readable or [Poller.Wake] is called.
// wake must not block or call the Poller.
func (p *Poller) Add(r *Registration, conn syscall.RawConn, wake func()) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.open(); err != nil {
		return err
	}
	var err error
	controlErr := conn.Control(func(fd uintptr) {
		r.conn, r.fd, r.wake = conn, int32(fd), wake
		err = p.register(r)
	})
	if controlErr != nil {
		return controlErr
	}
	return err
}

// register must be called while the descriptor cannot be closed.
func (p *Poller) register(r *Registration) error {
	event := syscall.EpollEvent{
		Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: r.fd,
	}
	if err := p.control(syscall.EPOLL_CTL_ADD, r.fd, &event); err != nil {
		return err
	}
	if closed := p.waiting[r.fd]; closed != nil {
		closed.wake() // Its connection was closed elsewhere, and the descriptor reused.
	}
	p.waiting[r.fd] = r
	p.startSweeper()
	return nil
}

// Remove ends the wait without calling wake. It returns false if wake was called already.
func (p *Poller) Remove(r *Registration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting[r.fd] != r {
		return false
	}
	p.remove(r)
	return true
}

// Wake ends the wait and calls wake, unless it was called already.
func (p *Poller) Wake(r *Registration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting[r.fd] == r {
		p.remove(r)
		r.wake()
	}
}

func (p *Poller) remove(r *Registration) {
	delete(p.waiting, r.fd)
	_ = p.control(syscall.EPOLL_CTL_DEL, r.fd, nil)
}

// sweepInterval is the time between two sweeps, which look at all registrations.
const sweepInterval = 2 * time.Second

// sweep wakes the registrations whose connection was closed elsewhere, which epoll does not report.
// It runs as long as there are registrations.
func (p *Poller) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.waiting {
		if r.conn.Control(func(uintptr) {}) != nil {
			p.remove(r)
			r.wake()
		}
	}
	p.sweeper = nil
	p.startSweeper()
}

func (p *Poller) startSweeper() {
	if p.sweeper == nil && len(p.waiting) > 0 {
		p.sweeper = time.AfterFunc(sweepInterval, p.sweep)
	}
}

// open creates the epoll instance, non-blocking so that the runtime's poller waits for it.
func (p *Poller) open() error {
	if p.epoll != nil {
		return nil
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return os.NewSyscallError("fcntl", err)
	}
	epoll := os.NewFile(uintptr(fd), "epoll")
	raw, err := epoll.SyscallConn()
	if err != nil {
		_ = epoll.Close()
		return err
	}
	p.epoll, p.waiting = epoll, make(map[int32]*Registration)
	go p.wait(raw)
	return nil
}

// Close ends the poller's goroutine if there are no registrations. A later Add starts it again.
func (p *Poller) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.epoll != nil && len(p.waiting) == 0 {
		_ = p.epoll.Close()
		p.epoll, p.waiting = nil, nil
		if p.sweeper != nil {
			p.sweeper.Stop()
			p.sweeper = nil
		}
	}
}

// wait wakes readable connections until the epoll instance is closed.
func (p *Poller) wait(epoll syscall.RawConn) {
	events := make([]syscall.EpollEvent, 128)
	for {
		var n int
		err := epoll.Read(func(fd uintptr) bool {
			n, _ = syscall.EpollWait(int(fd), events, 0)
			return n != 0 // -1 if interrupted
		})
		if err != nil {
			return
		}
		p.wakeAll(events[:max(n, 0)])
	}
}

func (p *Poller) wakeAll(events []syscall.EpollEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range events {
		if r := p.waiting[e.Fd]; r != nil { // nil if it was woken meanwhile
			p.remove(r)
			r.wake()
		}
	}
}

func (p *Poller) control(op int, fd int32, event *syscall.EpollEvent) error {
	epoll, err := p.epoll.SyscallConn()
	if err != nil {
		return err
	}
	controlErr := epoll.Control(func(epfd uintptr) {
		err = os.NewSyscallError("epoll_ctl", syscall.EpollCtl(int(epfd), op, int(fd), event))
	})
	if controlErr != nil {
		return controlErr
	}
	return err
}
