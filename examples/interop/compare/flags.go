//go:build linux

package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const usage = `Usage: compare [flags]

Compares wsecho with other WebSocket echo servers and prints a Markdown table
of ratios to gorilla/websocket.

`

type config struct {
	libs      []string // nil: all available
	workloads []workload
	rounds    int
	time      time.Duration
	warmUp    time.Duration
	idle      int
	compress  bool
	svg       string
}

func parse(args []string, stderr io.Writer) (config, error) {
	var cfg config
	var libs, loads string
	var quick, binary bool
	fs := flag.NewFlagSet("compare", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprint(stderr, usage)
		fs.PrintDefaults()
	}
	fs.StringVar(&libs, "libs", "",
		"compare only these `libraries`, and gorilla: "+strings.Join(names(), ","))
	fs.StringVar(&loads, "workloads", "",
		"measure only these `workloads`: "+strings.Join(workloadNames(workloads(0, false)), ","))
	fs.IntVar(&cfg.rounds, "rounds", 5, "`number` of rounds; at most 3 for memory")
	fs.DurationVar(&cfg.time, "time", 800*time.Millisecond, "`duration` of a measurement")
	fs.DurationVar(&cfg.warmUp, "warmup", 400*time.Millisecond, "`duration` of the warm-up")
	fs.IntVar(&cfg.idle, "idle", 10000, "`number` of connections to measure memory with")
	fs.BoolVar(&binary, "binary", false, "send binary messages instead of text")
	fs.BoolVar(&cfg.compress, "compress", false, "measure permessage-deflate too")
	fs.BoolVar(&quick, "quick", false,
		"run one short round with fewer connections, as a trial")
	fs.StringVar(&cfg.svg, "svg", "", "write a chart to this `file`")
	if err := fs.Parse(args); err != nil {
		return config{}, err
	}
	if fs.NArg() > 0 {
		return config{}, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if quick {
		cfg.quicken(fs)
	}
	if cfg.rounds < 1 || cfg.time <= 0 || cfg.warmUp < 0 || cfg.idle < 1 {
		return config{}, fmt.Errorf("-rounds, -time and -idle must be positive")
	}
	return cfg, cfg.choose(libs, loads, binary)
}

// quicken reduces the flags that were not given.
func (cfg *config) quicken(fs *flag.FlagSet) {
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if !given["rounds"] {
		cfg.rounds = 1
	}
	if !given["time"] {
		cfg.time = 300 * time.Millisecond
	}
	if !given["warmup"] {
		cfg.warmUp = 150 * time.Millisecond
	}
	if !given["idle"] {
		cfg.idle = 2000
	}
}

// choose selects the libraries and workloads that are named, or all.
func (cfg *config) choose(libs, loads string, binary bool) error {
	if libs != "" {
		cfg.libs = strings.Split(libs, ",")
	}
	for _, name := range cfg.libs {
		if !slices.Contains(names(), name) {
			return fmt.Errorf("-libs: there is no %q, only %s", name, strings.Join(names(), ","))
		}
	}
	all := workloads(cfg.idle, binary)
	if loads == "" {
		cfg.workloads = all
		return nil
	}
	for name := range strings.SplitSeq(loads, ",") {
		i := slices.Index(workloadNames(all), name)
		if i < 0 {
			return fmt.Errorf("-workloads: there is no %q, only %s",
				name, strings.Join(workloadNames(all), ","))
		}
		cfg.workloads = append(cfg.workloads, all[i])
	}
	return nil
}
