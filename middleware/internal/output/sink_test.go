package output

import (
	"net"
	"slices"
	"strings"
	"testing"
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

// newOutput returns an output, and what it writes to.
func newOutput(timeout time.Duration) (*Output, *sink) {
	out := &sink{}
	return newOn(out, timeout), out
}

func newOn(conn net.Conn, timeout time.Duration) *Output {
	o := new(Output)
	o.Init(conn, timeout)
	return o
}

// busy is that of a reader that does not wait.
func busy() bool { return false }

// wantWrites compares the writes, each by its beginning and its length if it is long.
func wantWrites(t *testing.T, out *sink, want ...string) {
	t.Helper()
	if slices.Equal(out.writes, want) {
		return
	}
	show := func(all []string) string {
		var shown []string
		for _, s := range all {
			shown = append(shown, shorten(s))
		}
		return strings.Join(shown, "|")
	}
	t.Errorf("written %s, want %s", show(out.writes), show(want))
}

// writeControl writes a ping or pong, which f is.
func writeControl(t *testing.T, tr *Output, f string) {
	t.Helper()
	if err := tr.Control(f[0]&0xf, []byte(f[2:])); err != nil {
		t.Errorf("WriteControl: %v", err)
	}
}
