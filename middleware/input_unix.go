//go:build unix

package middleware

import (
	"io"
	"os"
	"syscall"
)

// initPolling finds out whether the connection can be asked if there is anything to read.
func (t *transport) initPolling() {
	conn, ok := t.Conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	t.in.polling.raw = raw
	t.in.polling.attempt = t.attemptRead
}

// pollRaw borrows a buffer only when there is something to put into it.
func (t *transport) pollRaw(p []byte) (n int, lent []byte, err error) {
	poll := &t.in.polling
	poll.direct, poll.n, poll.err = nil, 0, nil
	if len(p) >= directRead {
		poll.direct = p
	}
	err = poll.raw.Read(poll.attempt)
	poll.direct = nil
	if err == nil {
		err = poll.err
	}
	if err != nil {
		_ = t.out.release() // It may be the end of the stream: the replies are still owed.
	}
	if t.in.lent != nil {
		lent = t.in.lent[:]
	}
	return poll.n, lent, err
}

// attemptRead is called when there may be something to read; if there is not, it returns false
// to be called again.
func (t *transport) attemptRead(fd uintptr) bool {
	poll := &t.in.polling
	p := poll.direct
	if p == nil {
		p = t.in.borrow()
	}
	poll.n, poll.err = readNow(int(fd), p)
	poll.full = poll.n == len(p)
	if poll.err == syscall.EAGAIN {
		t.in.giveBack()
		poll.err = nil
		poll.err = t.startWaiting()
		return poll.err != nil
	}
	if poll.err != nil {
		t.in.giveBack()
	}
	return true
}

// hasEnded reports whether the stream has ended, if that can be found out without waiting. What it
// reads instead is lost.
func (t *transport) hasEnded() bool {
	raw := t.in.polling.raw
	if raw == nil {
		return false
	}
	var err error
	var skipped [512]byte
	_ = raw.Control(func(fd uintptr) { _, err = readNow(int(fd), skipped[:]) })
	return err == io.EOF
}

func readNow(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, p)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return 0, err
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}
