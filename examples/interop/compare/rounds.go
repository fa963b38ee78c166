//go:build linux

package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"example.com/wsecho/examples/interop/compare/internal/report"
)

// memoryRounds is the maximum for memory, which hardly varies.
const memoryRounds = 3

// compare measures the servers with each workload, in rounds, and summarizes the results.
func (m *meter) compare(
	ctx context.Context, servers []server, workloads []workload,
) (report.Figures, error) {
	var f report.Figures
	for _, s := range servers {
		f.Rows = append(f.Rows, s.row)
	}
	if len(servers) == 0 {
		return f, nil
	}
	for _, w := range workloads {
		rounds := m.cfg.rounds
		if w.name == "idle" {
			rounds = min(rounds, memoryRounds)
		}
		var measured [][]*figure // by round and server
		for n := range rounds {
			m.log.Printf("%s, round %d of %d", w.name, n+1, rounds)
			round, err := m.round(ctx, servers, n, w)
			if err != nil {
				return f, err
			}
			measured = append(measured, round)
		}
		for _, c := range w.columns {
			f.Columns = append(f.Columns, c.Column)
			for i := range servers {
				f.Rows[i].Cells = append(f.Rows[i].Cells, summarize(c, measured, servers, i))
			}
		}
		m.recordShare(servers, w, measured)
	}
	return f, nil
}

// round measures each server once, in a new process, with another one first in each round. A failed
// measurement is nil.
func (m *meter) round(
	ctx context.Context, servers []server, n int, w workload,
) ([]*figure, error) {
	round := make([]*figure, len(servers))
	for i := range servers {
		i = (i + n) % len(servers)
		s := servers[i]
		got, err := m.once(ctx, s, w)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			m.failures++
			m.log.Printf("  %-16s FAILED: %v", s.row.Name, err)
			continue
		}
		round[i] = &got
		switch {
		case got.bytes != 0:
			m.log.Printf("  %-16s %8.0f bytes", s.row.Name, got.bytes)
		default:
			m.log.Printf("  %-16s %8.0f/s, server CPU %8.2f µs, generator CPU %8.2f µs%s",
				s.row.Name, got.rate, got.cpu*1e6, got.generator*1e6, got.more())
		}
		if got.dropped > 0 {
			m.log.Printf("  %-16s dropped %d connections without an answer", "", got.dropped)
		}
	}
	return round, nil
}

// more returns what only some workloads measure, for the log.
func (f figure) more() (s string) {
	if f.p99 > 0 {
		s += fmt.Sprintf(", p99 %8.2f ms", f.p99.Seconds()*1e3)
	}
	if f.allocs > 0 {
		s += fmt.Sprintf(", %.0f allocations", f.allocs)
	}
	return s
}

func (m *meter) once(ctx context.Context, s server, w workload) (figure, error) {
	if w.name == "handshakes" {
		s = s.debugging()
	}
	c, err := start(ctx, s)
	if err != nil {
		return figure{}, err
	}
	defer c.stop()
	return w.measure(m, c, w)
}

// summarize returns the median of the column's value over the rounds.
func summarize(c column, measured [][]*figure, servers []server, i int) float64 {
	base := slices.IndexFunc(servers, func(s server) bool { return s.row.Baseline })
	var values []float64
	for _, round := range measured {
		if round[i] != nil && round[base] != nil {
			values = append(values, c.value(*round[i], *round[base]))
		}
	}
	return median(values)
}

// median returns NaN if there are no values.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	values = slices.Sorted(slices.Values(values))
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// recordShare records the generator's share for the notes if it is the largest.
func (m *meter) recordShare(servers []server, w workload, measured [][]*figure) {
	for i, s := range servers {
		var shares []float64
		for _, round := range measured {
			if round[i] != nil && round[i].cpu > 0 {
				shares = append(shares, round[i].generator/round[i].cpu)
			}
		}
		if ratio := median(shares); ratio > m.maxShare.ratio {
			m.maxShare = share{ratio, fmt.Sprintf("%s at %s", s.row.Name, w.columns[0].Title)}
		}
	}
}

// notes explains the figures.
func (m *meter) notes() string {
	s := "Ratios to gorilla/websocket, medians of rounds: messages or handshakes per second, more " +
		"is better; CPU is the server's CPU time for each, and p99 the latency that 99 % of " +
		"the messages do not exceed, less is better. A × B is A connections with B messages in " +
		"flight on each; asks are messages every 3 ms, answered or not, on one connection " +
		"beside 1000 × 1; frames are those of a 1 MiB reply; allocations are the server's for " +
		fmt.Sprintf("a handshake; bytes are resident memory for each of %d idle connections.",
			m.cfg.idle)
	if m.maxShare.ratio > 0 {
		s += fmt.Sprintf(" The generator took at most %.0f %% of the server's CPU time (%s).",
			m.maxShare.ratio*100, m.maxShare.where)
	}
	return s
}

// failed returns an error if a measurement has failed.
func (m *meter) failed() error {
	if m.failures > 0 {
		return fmt.Errorf("%d measurements failed", m.failures)
	}
	return nil
}
