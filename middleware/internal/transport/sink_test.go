package transport

import (
	"net"
	"time"
)

// sink is a connection that notes what is written to it, and the write deadlines.
type sink struct {
	net.Conn    // nil, so that nothing else may be called
	writes      []string
	deadlines   []time.Time
	delay       time.Duration // that each write takes
	err         error         // of writes
	deadlineErr error
}

func (s *sink) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil // net.Buffers writes empty buffers too, which the network does not see.
	}
	time.Sleep(s.delay)
	if s.err != nil {
		return 0, s.err
	}
	s.writes = append(s.writes, string(p))
	return len(p), nil
}

func (s *sink) SetWriteDeadline(deadline time.Time) error {
	s.deadlines = append(s.deadlines, deadline)
	return s.deadlineErr
}
