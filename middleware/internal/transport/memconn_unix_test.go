//go:build unix

package transport

import (
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/wsecho/middleware/internal/poll"
)

// memConn is a connection with a descriptor, the one of a pipe, whose reads wait as the bubble of
// a test has it: neither the network nor real time have to do with it.
type memConn struct {
	sink
	in, feed *os.File

	mu        sync.Mutex
	changed   chan struct{} // closed when a read has to look again
	deadline  time.Time
	closed    bool
	halfClose chan struct{} // closed by CloseWrite
}

func newMemConn(t *testing.T) *memConn {
	t.Helper()
	in, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = in.Close(), feed.Close() })
	return &memConn{
		in: in, feed: feed, changed: make(chan struct{}), halfClose: make(chan struct{}),
	}
}

// newRaw returns a transport on conn, which reads from the descriptor if conn lets it be used. New
// does that only for connections of the net package.
func newRaw(conn net.Conn, received []byte, config Config) *Transport {
	tr := New(conn, received, config)
	c, ok := conn.(syscall.Conn)
	if !ok {
		return tr
	}
	tr.raw.conn, _ = c.SyscallConn()
	tr.raw.attempt = tr.attemptRead
	if poll.Supported {
		tr.reader.idleAfter = config.IdleAfter
	}
	return tr
}

// hide returns the connection, as one without a descriptor if it is to be hidden.
func (c *memConn) hide(hidden bool) net.Conn {
	if hidden {
		return struct{ net.Conn }{c}
	}
	return c
}

// send sends what the client sends.
func (c *memConn) send(s string) {
	_, _ = c.feed.WriteString(s)
	c.change(func() {})
}

// end ends the client's stream.
func (c *memConn) end() {
	_ = c.feed.Close()
	c.change(func() {})
}

func (c *memConn) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *memConn) SetReadDeadline(deadline time.Time) error {
	c.mu.Lock()
	same := c.deadline.Equal(deadline)
	c.mu.Unlock()
	if !same { // or a read that sets it would look again for ever
		c.change(func() { c.deadline = deadline })
	}
	return nil
}

func (c *memConn) Close() error {
	c.change(func() { c.closed = true })
	return nil
}

func (c *memConn) CloseWrite() error {
	close(c.halfClose)
	return nil
}

func (c *memConn) Read(p []byte) (n int, err error) {
	waitErr := memRawConn{c}.Read(func(fd uintptr) bool {
		n, err = readNow(int(fd), p)
		return err != syscall.EAGAIN
	})
	if waitErr != nil {
		return 0, waitErr
	}
	return n, err
}

func (c *memConn) SyscallConn() (syscall.RawConn, error) { return memRawConn{c}, nil }

type memRawConn struct{ *memConn }

func (c memRawConn) Control(f func(fd uintptr)) error {
	raw, err := c.in.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(f)
}

// Read is as that of the net package: the deadline comes before f.
func (c memRawConn) Read(f func(fd uintptr) bool) error {
	for {
		c.mu.Lock()
		closed, deadline, changed := c.closed, c.deadline, c.changed
		c.mu.Unlock()
		left := time.Until(deadline)
		switch {
		case closed:
			return net.ErrClosed
		case !deadline.IsZero() && left <= 0:
			return os.ErrDeadlineExceeded
		}
		done := false
		if err := c.Control(func(fd uintptr) { done = f(fd) }); err != nil || done {
			return err
		}
		var expired <-chan time.Time
		if !deadline.IsZero() {
			expired = time.After(left)
		}
		select {
		case <-changed:
		case <-expired:
		}
	}
}

func (memRawConn) Write(func(fd uintptr) bool) error { return os.ErrInvalid }
