package output

import (
	"net"
	"sync/atomic"
	"time"
)

const (
	// writeSize is the maximum of one write to the network. Each has a deadline of its own, so that
	// a slow client can receive a large message.
	writeSize = 64 << 10

	// sendBuffer is the size of the kernel's send buffer, of which Linux uses twice as much. It
	// wakes a writer only when a third of the buffer is free. Without a limit that is more than a
	// megabyte, which a slow client may take longer for than the WriteTimeout.
	sendBuffer = 256 << 10
)

// sender writes to the network, for one goroutine at a time.
type sender struct {
	conn     net.Conn
	timeout  time.Duration // for each writeSize; negative for none
	deadline time.Time     // of conn
	sent     atomic.Uint64 // bytes
}

// send sends held and p.
func (s *sender) send(held, p []byte) error {
	for len(held)+len(p) > 0 {
		next := p[:min(len(p), writeSize-len(held))]
		if err := s.sendNow(held, next); err != nil {
			return err
		}
		s.sent.Add(uint64(len(held) + len(next)))
		held, p = nil, p[len(next):]
	}
	return nil
}

func (s *sender) sendNow(held, p []byte) error {
	if err := s.setDeadline(); err != nil {
		return err
	}
	var err error
	switch {
	case len(p) == 0:
		_, err = s.conn.Write(held)
	case len(held) == 0:
		_, err = s.conn.Write(p)
	default:
		buffers := net.Buffers{held, p}
		_, err = buffers.WriteTo(s.conn)
	}
	return err
}

// setDeadline sets a new deadline only when a quarter of the last one is over, to save timers.
func (s *sender) setDeadline() error {
	if s.timeout < 0 || time.Until(s.deadline) > s.timeout*3/4 {
		return nil
	}
	if s.deadline.IsZero() {
		s.limitSendBuffer()
	}
	s.deadline = time.Now().Add(s.timeout)
	return s.conn.SetWriteDeadline(s.deadline)
}

// limitSendBuffer is best effort: not every connection has a send buffer.
func (s *sender) limitSendBuffer() {
	conn := s.conn
	if tls, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = tls.NetConn()
	}
	if b, ok := conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = b.SetWriteBuffer(sendBuffer)
	}
}
