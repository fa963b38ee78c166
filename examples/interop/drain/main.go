// Command drain simulates what a load balancer sees when one of many machines is replaced: how many
// clients come back in each second, with and without DrainSpread and MaxAge. It prints the figures,
// and draws the chart of OPERATIONS.md:
//
//	go -C examples/interop run ./drain -svg drain/drain.svg
//
// The model is in simulate.go. Its test compares the schedule of the drain with that of the
// middleware.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

// A scenario is a line of the chart.
type scenario struct {
	name string
	plan plan
}

func scenarios(conns, machines int) []scenario {
	base := plan{
		conns: conns, machines: machines,
		replaced: time.Minute, until: time.Hour,
		delay: 5 * time.Second, handshake: 300 * time.Millisecond, unnoticed: 3 * time.Second,
	}
	spread, both := base, base
	spread.spread = time.Minute
	both.spread, both.maxAge = time.Minute, 30*time.Minute
	return []scenario{
		{"neither", base},
		{"DrainSpread 1m", spread},
		{"DrainSpread 1m, MaxAge 30m", both},
	}
}

func main() {
	conns := flag.Int("conns", 100_000, "`number` of connections")
	machines := flag.Int("machines", 20, "`number` of machines")
	svg := flag.String("svg", "", "write the chart to this `file`")
	flag.Parse()
	lines := scenarios(*conns, *machines)
	results := make([]result, len(lines))
	for i, s := range lines {
		results[i] = simulate(s.plan)
		fmt.Println(summary(s, results[i]))
	}
	if *svg == "" {
		return
	}
	if err := os.WriteFile(*svg, chart(lines, results), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func summary(s scenario, r result) string {
	return fmt.Sprintf("%s: at most %d handshakes a second, %d refused; on the machine added "+
		"%d connections after 5 minutes, %d after %d"+
		" minutes", s.name, slices.Max(r.handshakes), r.refused,
		r.added[int((s.plan.replaced+5*time.Minute).Seconds())], r.added[len(r.added)-1],
		int((s.plan.until - s.plan.replaced).Minutes()))
}
