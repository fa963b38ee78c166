//go:build linux

package main

import (
	"fmt"
	"log"
	"syscall"
	"time"

	"example.com/wsecho/examples/interop/compare/internal/load"
)

// settleTime is the delay before a server's memory is measured.
const settleTime = 500 * time.Millisecond

// A meter runs the measurements.
type meter struct {
	cfg      config
	log      *log.Logger
	failures int
	maxShare share
}

// share is the ratio of the generator's CPU time to the server's.
type share struct {
	ratio float64
	where string
}

func (m *meter) messages(c *child, w workload) (figure, error) {
	s, err := load.Open(c.addr, w.traffic)
	if err != nil {
		return figure{}, err
	}
	defer s.Close()
	return m.window(c, w, s.Counts)
}

func (m *meter) handshakes(c *child, w workload) (figure, error) {
	h, err := load.OpenAndClose(c.addr, w.conns)
	if err != nil {
		return figure{}, err
	}
	defer h.Close()
	mallocs, err := c.mallocs()
	if err != nil {
		return figure{}, err
	}
	before, _ := h.Counts() // window reports the error.
	f, err := m.window(c, w, h.Counts)
	if err != nil {
		return figure{}, err
	}
	mallocsAfter, err := c.mallocs()
	if err != nil {
		return figure{}, err
	}
	after, err := h.Counts()
	f.allocs = (mallocsAfter - mallocs) / float64(after.Replies-before.Replies)
	return f, err
}

// window measures after a warm-up, which begins with the first reply. It measures for longer if a
// slow server has sent too few replies.
func (m *meter) window(
	c *child, w workload, counts func() (load.Counts, error),
) (figure, error) {
	begun := func(now load.Counts) bool { return now.Replies > 0 }
	if _, err := c.await(counts, begun); err != nil {
		return figure{}, err
	}
	time.Sleep(m.cfg.warmUp)
	a, err := c.snapshot(counts)
	if err != nil {
		return figure{}, err
	}
	time.Sleep(m.cfg.time)
	b, err := c.await(counts, func(now load.Counts) bool { return w.enough(a.counts, now) })
	if err != nil {
		return figure{}, err
	}
	n := float64(b.counts.Replies - a.counts.Replies)
	return figure{
		rate:      n / b.at.Sub(a.at).Seconds(),
		cpu:       (b.server - a.server).Seconds() / n,
		generator: (b.generator - a.generator).Seconds() / n,
		frames:    float64(b.counts.Frames-a.counts.Frames) / n,
		p99:       b.counts.Latencies.Since(&a.counts.Latencies).Quantile(0.99),
		dropped:   b.counts.Dropped,
	}, nil
}

// A snapshot has the counts and CPU times at one moment.
type snapshot struct {
	at        time.Time
	counts    load.Counts
	server    time.Duration
	generator time.Duration
}

// enough reports whether what came between two moments is enough for a figure.
func (w workload) enough(before, now load.Counts) bool {
	const few = 4
	if w.traffic.Every > 0 && now.Latencies.Total() < before.Latencies.Total()+few {
		return false
	}
	return now.Replies >= before.Replies+few
}

// await returns a snapshot once enough replies have been received.
func (c *child) await(
	counts func() (load.Counts, error), enough func(load.Counts) bool,
) (s snapshot, err error) {
	for deadline := time.Now().Add(timeout); ; time.Sleep(time.Millisecond) {
		s, err = c.snapshot(counts)
		if err != nil || enough(s.counts) {
			return s, err
		}
		if time.Now().After(deadline) {
			return s, fmt.Errorf("only %d replies, and too few in %v", s.counts.Replies, timeout)
		}
	}
}

func (c *child) snapshot(counts func() (load.Counts, error)) (s snapshot, err error) {
	if s.counts, err = counts(); err != nil {
		return s, err
	}
	s.at = time.Now()
	if s.server, err = c.cpu(); err != nil {
		return s, err
	}
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return s, fmt.Errorf("getrusage: %w", err)
	}
	s.generator = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	return s, nil
}

// idle measures the memory of idle connections after one echoed message on each.
func (m *meter) idle(c *child, w workload) (figure, error) {
	// The first connection allocates what all of them share.
	first, err := load.OpenIdle(c.addr, 1, 128)
	if err != nil {
		return figure{}, err
	}
	defer first.Close()
	time.Sleep(settleTime)
	before, err := c.resident()
	if err != nil {
		return figure{}, err
	}
	rest, err := load.OpenIdle(c.addr, w.conns, 128)
	if err != nil {
		return figure{}, err
	}
	defer rest.Close()
	time.Sleep(settleTime)
	after, err := c.resident()
	return figure{bytes: float64(after-before) / float64(w.conns)}, err
}
