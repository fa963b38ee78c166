//go:build linux

package load

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall"
	"time"
)

// readSize is a compromise between few reads and a buffer that fits into the cache.
const readSize = 256 << 10

// tick is the interval in milliseconds at which a loop checks whether it is stopped.
const tick = 20

// edgeTriggered is EPOLLET, which package syscall has as a negative number.
const edgeTriggered = 1 << 31

// A loop serves some of a session's connections on one thread.
type loop struct {
	script  *script
	epoll   int
	conns   []*conn
	buf     []byte
	replies atomic.Uint64
	frames  atomic.Uint64

	timed     bool // measure latencies: there is one message in flight on each connection
	begun     time.Time
	latencies histogram
}

type conn struct {
	fd      int
	check   *checker
	next    int           // index of the frame to send next
	pending []byte        // not yet written to the socket
	sent    time.Duration // when the message in flight was sent, after the loop's begun
}

func newLoop(s *script, timed bool) (*loop, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	buf := make([]byte, readSize)
	return &loop{script: s, epoll: epoll, buf: buf, timed: timed, begun: time.Now()}, nil
}

// add takes over the socket of connection i. Connections begin at different messages, so that a
// reply on the wrong one is detected.
func (l *loop) add(fd, i int) error {
	first := i % len(l.script.replies)
	l.conns = append(l.conns, &conn{fd: fd, check: newChecker(l.script, first), next: first})
	if err := syscall.SetNonblock(fd, true); err != nil {
		return err
	}
	return syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{
		Events: syscall.EPOLLIN | syscall.EPOLLOUT | edgeTriggered,
		Fd:     int32(len(l.conns) - 1),
	})
}

func (l *loop) close() {
	for _, c := range l.conns {
		_ = syscall.Close(c.fd)
	}
	_ = syscall.Close(l.epoll)
}

// run sends and receives until it is stopped or an error occurs.
func (l *loop) run(stopped *atomic.Bool) error {
	for _, c := range l.conns {
		c.sent = time.Since(l.begun)
		if err := l.send(c, l.script.window); err != nil {
			return err
		}
	}
	events := make([]syscall.EpollEvent, 256)
	for !stopped.Load() {
		n, err := syscall.EpollWait(l.epoll, events, tick)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("epoll: %w", err)
		}
		for _, e := range events[:max(n, 0)] {
			if err := l.serve(l.conns[e.Fd]); err != nil {
				return err
			}
		}
	}
	return nil
}

// serve does all that it can on a connection without blocking.
func (l *loop) serve(c *conn) error {
	if err := c.flush(); err != nil {
		return err
	}
	for {
		n, err := syscall.Read(c.fd, l.buf)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return nil
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("reading: %w", err)
		case n == 0:
			return fmt.Errorf("reading: %w", io.ErrUnexpectedEOF)
		}
		replies, frames := c.check.replies, c.check.frames
		err = c.check.feed(l.buf[:n])
		replies, frames = c.check.replies-replies, c.check.frames-frames
		l.replies.Add(replies)
		l.frames.Add(frames)
		if l.timed && replies > 0 {
			now := time.Since(l.begun)
			l.latencies.add(now - c.sent)
			c.sent = now // The next message is sent now.
		}
		if err == nil {
			err = l.send(c, int(replies))
		}
		// After a short read, the socket is empty.
		if err != nil || n < len(l.buf) {
			return err
		}
	}
}

// send sends the next n messages.
func (l *loop) send(c *conn, n int) error {
	if n == 0 {
		return nil
	}
	p := l.script.run(c.next, n)
	c.next = (c.next + n) % len(l.script.replies)
	if len(c.pending) > 0 {
		// Limit the capacity, so that append copies instead of overwriting the script.
		c.pending = append(c.pending[:len(c.pending):len(c.pending)], p...)
		return nil
	}
	c.pending = p
	return c.flush()
}

func (c *conn) flush() error {
	for len(c.pending) > 0 {
		n, err := syscall.Write(c.fd, c.pending)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return nil
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("writing: %w", err)
		}
		c.pending = c.pending[n:]
	}
	c.pending = nil
	return nil
}
