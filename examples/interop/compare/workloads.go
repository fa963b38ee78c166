//go:build linux

package main

import (
	"fmt"
	"time"

	"example.com/wsecho/examples/interop/compare/internal/load"
	"example.com/wsecho/examples/interop/compare/internal/report"
)

// A workload is one kind of load that servers are measured with.
type workload struct {
	name    string
	measure func(*meter, *child, workload) (figure, error)
	traffic load.Traffic // for messages
	conns   int          // for the others
	columns []column
}

// A figure is the result of one measurement of a server. What the workload does not measure is 0.
type figure struct {
	rate      float64       // messages or handshakes per second
	cpu       float64       // seconds of the server's CPU time for each
	generator float64       // and of the generator's
	frames    float64       // of each reply
	p99       time.Duration // of the latencies
	allocs    float64       // of the server for each handshake
	bytes     float64       // resident, for each connection
	dropped   uint64        // connections without an answer, not counted in rate
}

// A column is a column of the result and its value for a server.
type column struct {
	report.Column
	value func(own, base figure) float64
}

func workloads(idle int, binary bool) []workload {
	messages := func(name, size string, t load.Traffic) workload {
		t.Binary = binary
		return workload{name: name, measure: (*meter).messages, traffic: t, columns: []column{
			rate(fmt.Sprintf("%s, %d × %d", size, t.Conns, t.Window), "Messages per second, "+size,
				fmt.Sprintf("%d connections, %d in flight on each", t.Conns, t.Window)),
		}}
	}
	small := messages("16x64", "128 B", load.Traffic{Conns: 16, Window: 64, Size: 128})
	middle := messages("16k", "16 KiB", load.Traffic{Conns: 4, Window: 16, Size: 16 << 10})
	large := messages("1m", "1 MiB", load.Traffic{Conns: 4, Window: 1, Size: 1 << 20})
	large.columns = append(large.columns, frames())
	const perMessage = "Server CPU per message, 128 B"
	few := messages("64", "128 B", load.Traffic{Conns: 64, Window: 1, Size: 128})
	few.columns = append(few.columns,
		cpu(perMessage, "64 connections, 1 in flight"), p99("64 connections, 1 in flight"))
	many := messages("1000", "128 B", load.Traffic{Conns: 1000, Window: 1, Size: 128})
	many.columns = append(many.columns,
		cpu(perMessage, "1000 connections, 1 in flight"), p99("1000 connections, 1 in flight"))
	ask := workload{name: "ask", measure: (*meter).messages, traffic: many.traffic}
	ask.traffic.Every = 3 * time.Millisecond
	ask.columns = []column{p99("asked every 3 ms beside 1000")}
	ask.columns[0].Title = "asks, p99"
	return []workload{
		small, middle, large, few, many, ask,
		{
			name: "handshakes", measure: (*meter).handshakes, conns: 16,
			columns: []column{
				rate("handshakes", "Handshakes per second", "opened and closed, 16 at a time"),
				cpu("", ""), allocs(),
			},
		},
		{name: "idle", measure: (*meter).idle, conns: idle, columns: []column{memory(idle)}},
	}
}

// compressed returns the workloads for messages with compression, except the one with the most
// connections, which measures the network.
func compressed(all []workload) []workload {
	var some []workload
	for _, w := range all {
		if w.traffic.Conns == 0 || w.traffic.Conns > 100 {
			continue
		}
		w.traffic.Deflate = true
		some = append(some, w)
	}
	return some
}

func workloadNames(all []workload) []string {
	var names []string
	for _, w := range all {
		names = append(names, w.name)
	}
	return names
}

func rate(title, panel, sub string) column {
	return column{
		report.Column{Title: title, Panel: panel, Sub: sub},
		func(own, base figure) float64 { return own.rate / base.rate },
	}
}

func cpu(panel, sub string) column {
	return column{
		report.Column{Title: "its CPU", Panel: panel, Sub: sub, Less: true},
		func(own, base figure) float64 { return own.cpu / base.cpu },
	}
}

func frames() column {
	return column{
		report.Column{Title: "its frames", Unit: report.Count},
		func(own, _ figure) float64 { return own.frames },
	}
}

func p99(sub string) column {
	return column{
		report.Column{Title: "its p99", Panel: "Latency, 128 B: p99", Sub: sub, Less: true},
		func(own, base figure) float64 { return float64(own.p99) / float64(base.p99) },
	}
}

func allocs() column {
	return column{
		report.Column{Title: "its allocations", Unit: report.Count, Less: true},
		func(own, _ figure) float64 { return own.allocs },
	}
}

func memory(conns int) column {
	return column{
		report.Column{
			Title: "idle, bytes", Unit: report.Bytes, Less: true,
			Panel: "Bytes per idle connection", Sub: fmt.Sprintf("resident, of %d", conns),
		},
		func(own, _ figure) float64 { return own.bytes },
	}
}
