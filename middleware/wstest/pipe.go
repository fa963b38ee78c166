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
	busy   bool // with a Write, whose bytes those of another one must not interrupt
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
	for e.out.busy && e.writeError() == nil {
		e.changed.Wait() // A mutex would stop the time of a bubble.
	}
	if err := e.writeError(); err != nil {
		return 0, err
	}
	e.out.busy = true
	defer func() {
		e.out.busy = false
		e.changed.Broadcast()
	}()
	for written := 0; ; {
		if err := e.writeError(); err != nil || written == len(p) {
			return written, err
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

func (e *pipeEnd) writeError() error {
	switch {
	case e.out.ended:
		return net.ErrClosed
	case e.writing.exceeded:
		return os.ErrDeadlineExceeded
	case e.out.closed:
		return syscall.EPIPE
	}
	return nil
}

// CloseWrite ends the stream that the other end reads.
func (e *pipeEnd) CloseWrite() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out.ended = true
	e.changed.Broadcast()
	return nil
}

// Close discards what has not been read. The other end still reads what has been written.
func (e *pipeEnd) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out.ended, e.in.closed = true, true
	e.in.data = nil
	e.reading.stop()
	e.writing.stop()
	e.changed.Broadcast()
	return nil
}

func (e *pipeEnd) LocalAddr() net.Addr  { return e.local }
func (e *pipeEnd) RemoteAddr() net.Addr { return e.remote }

func (e *pipeEnd) SetReadDeadline(t time.Time) error  { return e.set(t, &e.reading) }
func (e *pipeEnd) SetWriteDeadline(t time.Time) error { return e.set(t, &e.writing) }
func (e *pipeEnd) SetDeadline(t time.Time) error      { return e.set(t, &e.reading, &e.writing) }

func (e *pipeEnd) set(t time.Time, deadlines ...*deadline) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.in.closed {
		return net.ErrClosed
	}
	for _, d := range deadlines {
		d.stop()
		d.exceeded = !t.IsZero() && time.Until(t) <= 0
		if !t.IsZero() && !d.exceeded {
			e.start(d, time.Until(t))
		}
	}
	e.changed.Broadcast()
	return nil
}

func (e *pipeEnd) start(d *deadline, wait time.Duration) {
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		d.exceeded = d.exceeded || d.timer == timer // It may have been replaced meanwhile.
		e.changed.Broadcast()
	})
	d.timer = timer
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
