//go:build linux

package load

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
)

// errDropped is returned if the server ends a connection without an answer.
var errDropped = errors.New("the connection ended without an answer")

// Handshakes repeatedly opens and closes connections.
type Handshakes struct {
	stopped atomic.Bool
	done    atomic.Uint64
	dropped atomic.Uint64
	running sync.WaitGroup

	mu  sync.Mutex
	err error // the first one
}

// OpenAndClose starts to open and close connections, with a complete closing handshake, atATime of
// them at once.
func OpenAndClose(addr string, atATime int) (*Handshakes, error) {
	d, err := newDialer(addr, false)
	if err != nil {
		return nil, err
	}
	h := &Handshakes{}
	for range threads() {
		h.running.Go(func() {
			if err := h.run(d, max(1, atATime/threads())); err != nil {
				h.mu.Lock()
				defer h.mu.Unlock()
				if h.err == nil {
					h.err = fmt.Errorf("handshake: %w", err)
				}
			}
		})
	}
	return h, nil
}

// Counts returns the number of connections that were opened and closed, and the first error.
func (h *Handshakes) Counts() (Counts, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Counts{Replies: h.done.Load(), Dropped: h.dropped.Load()}, h.err
}

// Close stops and waits for all goroutines.
func (h *Handshakes) Close() {
	h.stopped.Store(true)
	h.running.Wait()
}

// A visit is one connection from its opening to its closing handshake.
type visit struct {
	fd        int
	requested bool   // the request is sent
	closing   bool   // the answer is received, and the close frame is sent
	got       []byte // received since
}

func (h *Handshakes) run(d *dialer, atATime int) error {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	defer syscall.Close(epoll)
	visits := make([]visit, atATime)
	for i := range visits {
		err := visits[i].begin(d, epoll, i)
		defer func() { _ = syscall.Close(visits[i].fd) }()
		if err != nil {
			return err
		}
	}
	events := make([]syscall.EpollEvent, atATime)
	for !h.stopped.Load() {
		n, err := syscall.EpollWait(epoll, events, tick)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("epoll: %w", err)
		}
		for _, e := range events[:max(n, 0)] {
			v := &visits[e.Fd]
			ended, err := v.advance(d)
			if err = h.count(ended, err); err != nil {
				return err
			}
			if !ended {
				continue
			}
			_ = syscall.Close(v.fd)
			if err := v.begin(d, epoll, int(e.Fd)); err != nil {
				return err
			}
		}
	}
	return nil
}

// count counts a connection. A few dropped connections are counted; more are an error.
func (h *Handshakes) count(ended bool, err error) error {
	const few = 10
	switch {
	case errors.Is(err, errDropped):
		if h.dropped.Add(1) <= few+h.done.Load()/100 {
			return nil
		}
	case ended:
		h.done.Add(1)
	}
	return err
}

// begin starts to connect, without blocking. It sets v.fd even if it fails.
func (v *visit) begin(d *dialer, epoll, i int) error {
	const kind = syscall.SOCK_STREAM | syscall.SOCK_CLOEXEC | syscall.SOCK_NONBLOCK
	fd, err := syscall.Socket(syscall.AF_INET, kind, 0)
	*v = visit{fd: fd, got: v.got[:0]}
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	if err := syscall.Connect(fd, &d.to); err != nil && !errors.Is(err, syscall.EINPROGRESS) {
		return fmt.Errorf("connect: %w", err)
	}
	return syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{
		Events: syscall.EPOLLIN | syscall.EPOLLOUT | edgeTriggered, Fd: int32(i),
	})
}

// advance does what it can without blocking, and reports whether the connection has ended.
func (v *visit) advance(d *dialer) (ended bool, err error) {
	if !v.requested {
		v.requested = true
		if err := v.write([]byte(d.request)); err != nil {
			return true, err
		}
	}
	var buf [1024]byte
	n, err := syscall.Read(v.fd, buf[:])
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return false, nil
	case n == 0 && err == nil, errors.Is(err, syscall.ECONNRESET):
		return true, errDropped
	case err != nil:
		return false, err
	}
	v.got = append(v.got, buf[:n]...)
	if v.closing {
		return v.closed()
	}
	if !bytes.Contains(v.got, []byte("\r\n\r\n")) {
		return false, nil
	}
	if err := d.check(string(v.got)); err != nil {
		return false, err
	}
	v.closing, v.got = true, v.got[:0]
	closeFrame := appendFrame(nil, finBit|opClose, []byte{1000 >> 8, 1000 & 0xff}, 0x12345678)
	err = v.write(closeFrame)
	return err != nil, err
}

// write writes p, which fits into the empty send buffer.
func (v *visit) write(p []byte) error {
	_, err := syscall.Write(v.fd, p)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return errDropped
	}
	return err
}

// closed reports whether the server's close frame has been received.
func (v *visit) closed() (bool, error) {
	if v.got[0] != finBit|opClose {
		return false, fmt.Errorf("got %q, want a close frame", v.got)
	}
	return len(v.got) >= 2 && len(v.got) >= 2+int(v.got[1]), nil
}
