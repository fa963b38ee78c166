package wstest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// pipeBuffer is how many bytes a pipe holds in each direction, as the buffers of a socket do: a peer
// may send before the other one reads.
const pipeBuffer = 64 << 10

// Addresses for documentation (RFC 5737).
var (
	clientAddr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1234}
	serverAddr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 80}
)

// pipe returns the two ends of a connection in memory.
func pipe() (client, server *pipeEnd) {
	p := &pipeState{}
	p.changed.L = &p.mu
	up, down := new(stream), new(stream)
	return &pipeEnd{pipeState: p, in: down, out: up, local: clientAddr, remote: serverAddr},
		&pipeEnd{pipeState: p, in: up, out: down, local: serverAddr, remote: clientAddr}
}

// pipeState is what both ends share.
type pipeState struct {
	mu      sync.Mutex
	changed sync.Cond
}

// stream is one direction.
type stream struct {
	data   []byte
	ended  bool // by the writer
	closed bool // by the reader
}

// pipeEnd is a net.Conn.
type pipeEnd struct {
	*pipeState
	in, out          *stream
	local, remote    net.Addr
	reading, writing deadline
}

// deadline is that of reads or writes.
type deadline struct {
	exceeded bool
	timer    *time.Timer
}

func (e *pipeEnd) Read(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		switch {
		case e.in.closed:
			return 0, net.ErrClosed
		case e.reading.exceeded:
			return 0, os.ErrDeadlineExceeded
		case len(e.in.data) > 0 || len(p) == 0:
			n := copy(p, e.in.data)
			e.in.data = e.in.data[n:]
			e.changed.Broadcast()
			return n, nil
		case e.in.ended:
			return 0, io.EOF
		}
		e.changed.Wait()
	}
}

func (e *pipeEnd) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for written := 0; ; {
		switch {
		case e.out.ended:
			return written, net.ErrClosed
		case e.writing.exceeded:
			return written, os.ErrDeadlineExceeded
		case e.out.closed:
			return written, syscall.EPIPE
		case written == len(p):
			return written, nil
		}
		n := min(len(p)-written, pipeBuffer-len(e.out.data))
		if n == 0 {
			e.changed.Wait()
			continue
		}
		e.out.data = append(e.out.data, p[written:written+n]...)
		written += n
		e.changed.Broadcast()
	}
}

// CloseWrite ends the stream that the other end reads.
func (e *pipeEnd) CloseWrite() error { return e.change(func() { e.out.ended = true }) }

func (e *pipeEnd) Close() error {
	return e.change(func() {
		e.out.ended, e.in.closed = true, true
		e.in.data = nil
	})
}

func (e *pipeEnd) change(f func()) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
	e.changed.Broadcast()
	return nil
}

func (e *pipeEnd) LocalAddr() net.Addr  { return e.local }
func (e *pipeEnd) RemoteAddr() net.Addr { return e.remote }

func (e *pipeEnd) SetReadDeadline(t time.Time) error  { return e.set(&e.reading, t) }
func (e *pipeEnd) SetWriteDeadline(t time.Time) error { return e.set(&e.writing, t) }

func (e *pipeEnd) SetDeadline(t time.Time) error {
	_ = e.set(&e.reading, t)
	return e.set(&e.writing, t)
}

func (e *pipeEnd) set(d *deadline, t time.Time) error {
	return e.change(func() {
		if d.timer != nil {
			d.timer.Stop()
		}
		d.timer, d.exceeded = nil, false
		if t.IsZero() {
			return
		}
		if wait := time.Until(t); wait > 0 {
			var timer *time.Timer
			timer = time.AfterFunc(wait, func() {
				_ = e.change(func() { d.exceeded = d.exceeded || d.timer == timer })
			})
			d.timer = timer
			return
		}
		d.exceeded = true
	})
}
