//go:build unix

package transport

import (
	"io"
	"net"
	"os"
	"syscall"
)

// initRawConn sets up rawConn if Read of the connection is a read from its descriptor.
func (t *Transport) initRawConn() {
	var conn syscall.Conn
	switch c := t.Conn.(type) { // Other types may have a Read of their own.
	case *net.TCPConn:
		conn = c
	case *net.UnixConn:
		conn = c
	default:
		return
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	t.raw.conn, t.raw.attempt = raw, t.attemptRead
}

// readRaw reads into direct, or into the chunk if direct is nil.
func (t *Transport) readRaw(direct []byte) (received []byte, err error) {
	raw := &t.in.raw
	raw.direct, raw.n, raw.err = direct, 0, nil
	err = t.raw.conn.Read(t.raw.attempt)
	raw.direct = nil
	if err == nil {
		err = raw.err
	}
	switch {
	case err != nil:
		_ = t.out.Release() // At the end of the stream, the client still awaits the replies.
		return nil, err
	case direct != nil:
		return direct[:raw.n], nil
	}
	return t.in.chunk[:raw.n], nil
}

// attemptRead is called when there may be input. It returns false to be called again.
func (t *Transport) attemptRead(fd uintptr) bool {
	raw := &t.in.raw
	p := raw.direct
	if p == nil {
		p = t.in.getChunk()
	}
	raw.n, raw.err = readNow(int(fd), p)
	raw.full = raw.n == len(p)
	if raw.err == syscall.EAGAIN {
		t.in.freeChunk()
		raw.err = t.startWaiting()
		return raw.err != nil
	}
	if raw.err != nil {
		t.in.freeChunk()
	}
	return true
}

// hasEnded reports whether the stream has ended, without waiting. It discards input.
func (t *Transport) hasEnded() bool {
	if t.raw.conn == nil {
		return false
	}
	ended := false
	_ = t.raw.conn.Control(func(fd uintptr) {
		var skipped [512]byte // on the stack
		_, err := readNow(int(fd), skipped[:])
		ended = err == io.EOF
	})
	return ended
}

// readNow returns EAGAIN if it would wait.
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
