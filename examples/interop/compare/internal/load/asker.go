//go:build linux

package load

import (
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// askWindow is the maximum number of questions without an answer.
const askWindow = 1000

// An asker sends messages at an interval, whether or not the ones before are answered, and measures
// how long each answer takes. It uses the runtime's poller, because a goroutine that comes back
// from a blocking system call may wait for the loops.
type asker struct {
	conn      net.Conn
	script    *script
	every     time.Duration
	latencies histogram
}

// newAsker opens connection i.
func newAsker(d *dialer, i int, t Traffic) (*asker, error) {
	fd, err := d.dial(i)
	if err != nil {
		return nil, err
	}
	socket := os.NewFile(uintptr(fd), "asker")
	defer socket.Close()
	conn, err := net.FileConn(socket)
	if err != nil {
		return nil, err
	}
	every := t.Every
	t.Window, t.Every = askWindow, 0
	return &asker{conn: conn, script: newScript(t), every: every}, nil
}

// run asks until the connection is closed or an error occurs.
func (a *asker) run(stopped *atomic.Bool) error {
	err := a.ask()
	if stopped.Load() {
		return nil
	}
	return fmt.Errorf("asking: %w", err)
}

func (a *asker) ask() error {
	sent := make(chan time.Time, askWindow)
	ended := make(chan error, 1)
	go func() { ended <- a.receive(sent) }()
	ticks := time.NewTicker(a.every)
	defer ticks.Stop()
	for next := 0; ; next = (next + 1) % len(a.script.replies) {
		select {
		case err := <-ended:
			return err
		case <-ticks.C:
		}
		select {
		case sent <- time.Now():
		default:
			return fmt.Errorf("%d messages without an answer", askWindow)
		}
		if _, err := a.conn.Write(a.script.run(next, 1)); err != nil {
			return err
		}
	}
}

// receive checks the answers to the messages that were sent at these times.
func (a *asker) receive(sent <-chan time.Time) error {
	check := newChecker(a.script, 0)
	buf := make([]byte, 64<<10)
	for {
		n, err := a.conn.Read(buf)
		if err != nil {
			return err
		}
		now, before := time.Now(), check.replies
		if err := check.feed(buf[:n]); err != nil {
			return err
		}
		for range check.replies - before {
			a.latencies.add(now.Sub(<-sent))
		}
	}
}
