package middleware

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// canPark is false where nothing but a goroutine can wait for a connection.
const canPark = true

// lot is where parked connections wait, with epoll(7) because the runtime's poller wakes
// goroutines only. One goroutine waits for all of them, while there are connections.
type lot struct {
	wake func(*Conn) // goes on serving a connection

	mu     sync.Mutex
	epoll  *os.File         // nil until needed
	parked map[int32]parked // by descriptor
}

type parked struct {
	c     *Conn
	since time.Time
}

// park reports whether the connection will be woken, when there is something to read or take is
// called. Otherwise it is to be served on.
func (l *lot) park(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	// Whoever interrupts calls take afterwards, which waits for us.
	if c.transport.interrupted.Load() || l.open() != nil {
		return false
	}
	fd := c.transport.descriptor()
	event := syscall.EpollEvent{
		Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: fd,
	}
	if l.control(syscall.EPOLL_CTL_ADD, fd, &event) != nil {
		return false
	}
	l.parked[fd] = parked{c, time.Now()}
	c.parkedAs = fd
	return true
}

// take wakes the connection if it is parked.
func (l *lot) take(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.parked[c.parkedAs].c == c {
		l.remove(c.parkedAs)
	}
}

func (l *lot) remove(fd int32) {
	p, ok := l.parked[fd]
	if !ok {
		return // woken by somebody else
	}
	delete(l.parked, fd)
	_ = l.control(syscall.EPOLL_CTL_DEL, fd, nil)
	p.c.unparked(time.Since(p.since))
	l.wake(p.c)
}

// open makes the epoll instance, which is non-blocking: its own waiting is the runtime's business.
func (l *lot) open() error {
	if l.epoll != nil {
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
	l.epoll, l.parked = os.NewFile(uintptr(fd), "epoll"), make(map[int32]parked)
	raw, err := l.epoll.SyscallConn()
	if err != nil {
		return err
	}
	go l.wait(raw)
	return nil
}

// close lets the goroutine go, unless somebody is parked.
func (l *lot) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.epoll != nil && len(l.parked) == 0 {
		_ = l.epoll.Close()
		l.epoll, l.parked = nil, nil
	}
}

// wait wakes the connections that there is something to read of.
func (l *lot) wait(raw syscall.RawConn) {
	events := make([]syscall.EpollEvent, 128)
	for {
		var n int
		err := raw.Read(func(epoll uintptr) bool {
			n, _ = syscall.EpollWait(int(epoll), events, 0)
			return n != 0 // -1 if interrupted
		})
		if err != nil {
			return // It was closed.
		}
		l.mu.Lock()
		for _, e := range events[:max(n, 0)] {
			l.remove(e.Fd)
		}
		l.mu.Unlock()
	}
}

func (l *lot) control(op int, fd int32, event *syscall.EpollEvent) error {
	raw, err := l.epoll.SyscallConn()
	if err != nil {
		return err
	}
	ctlErr := raw.Control(func(epoll uintptr) {
		err = os.NewSyscallError("epoll_ctl", syscall.EpollCtl(int(epoll), op, int(fd), event))
	})
	if ctlErr != nil {
		return ctlErr
	}
	return err
}

// descriptor is good as long as nobody closes the connection, which an interruption precedes.
func (t *transport) descriptor() (fd int32) {
	_ = t.in.polling.raw.Control(func(s uintptr) { fd = int32(s) })
	return fd
}
