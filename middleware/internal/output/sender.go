package output

import (
	"net"
	"reflect"
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
	if len(held) > 0 && len(p) > 0 && s.isSocket() {
		buffers := net.Buffers{held, p}
		_, err := buffers.WriteTo(s.conn)
		return err
	}
	for _, p := range [2][]byte{held, p} {
		if len(p) == 0 {
			continue
		}
		if _, err := s.conn.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// isSocket reports whether net.Buffers may bypass Write of the connection. Other types, even those
// that embed a socket, may have a Write of their own.
func (s *sender) isSocket() bool {
	switch s.conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
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

// limitSendBuffer is best effort: not every connection has a send buffer, or shows it.
func (s *sender) limitSendBuffer() {
	for conn := s.conn; conn != nil; conn = inner(conn) {
		if b, ok := conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
			_ = b.SetWriteBuffer(sendBuffer)
			return
		}
	}
}

// inner returns the connection that conn wraps, as tls.Conn does, or embeds, as that of
// netutil.LimitListener does, or nil.
func inner(conn net.Conn) net.Conn {
	if wrapper, ok := conn.(interface{ NetConn() net.Conn }); ok {
		return wrapper.NetConn()
	}
	v := reflect.Indirect(reflect.ValueOf(conn))
	if v.Kind() != reflect.Struct {
		return nil
	}
	field := v.FieldByName("Conn")
	if !field.IsValid() || !field.CanInterface() {
		return nil
	}
	embedded, _ := field.Interface().(net.Conn)
	return embedded
}
