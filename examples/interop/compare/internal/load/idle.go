//go:build linux

package load

import (
	"fmt"
	"syscall"
)

// Idle is a set of idle connections.
type Idle struct {
	fds []int
}

// OpenIdle opens n connections, one after the other, and has one message of that size echoed on
// each.
func OpenIdle(addr string, n, size int) (*Idle, error) {
	d, err := newDialer(addr, false)
	if err != nil {
		return nil, err
	}
	script := newScript(Traffic{Window: 1, Size: size})
	idle := &Idle{}
	for i := range n {
		fd, err := d.dial(i)
		if err == nil {
			idle.fds = append(idle.fds, fd)
			err = echo(fd, script)
		}
		if err != nil {
			idle.Close()
			return nil, fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	return idle, nil
}

// echo sends the first message of a script and waits for the reply.
func echo(fd int, s *script) error {
	if err := writeAll(fd, s.run(0, 1)); err != nil {
		return err
	}
	check := newChecker(s, 0)
	buf := make([]byte, 4096)
	for check.replies == 0 {
		n, err := readSome(fd, buf)
		if err == nil {
			err = check.feed(buf[:n])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Close ends the connections.
func (idle *Idle) Close() {
	for _, fd := range idle.fds {
		_ = syscall.Close(fd)
	}
}
