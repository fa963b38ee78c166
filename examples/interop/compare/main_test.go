//go:build linux

package main

import (
	"bufio"
	"context"
	"io"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain runs a server if a test has started this binary as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		log.Fatal(serve(os.Args[2], os.Stdout))
	}
	os.Exit(m.Run())
}

// A small comparison: each kind of workload, once and briefly.
func TestRun(t *testing.T) {
	libs, rows := "wsecho,unbatched,gws", 4
	if _, err := exec.LookPath("node"); err == nil || os.Getenv("CI") != "" {
		libs, rows = libs+",npm", rows+1
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // npm may use the network
	defer cancel()
	svg := filepath.Join(t.TempDir(), "chart.svg")
	var stdout, stderr strings.Builder
	args := []string{
		"-quick", "-compress", "-time", "50ms", "-warmup", "20ms", "-idle", "50", "-libs", libs,
		"-workloads", "16x64,64,ask,handshakes,idle", "-svg", svg,
	}
	if err := run(ctx, args, &stdout, &stderr); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	got := stdout.String()
	const head = "| server | 128 B, 16 × 64 | 128 B, 64 × 1 | its CPU | its p99 | asks, p99 " +
		"| handshakes | its CPU | its allocations | idle, bytes |\n"
	if !strings.HasPrefix(got, head) {
		t.Errorf("got %.200s..., want %s", got, head)
	}
	for _, want := range []string{
		"| **wsecho", "(Batched, with Detach)** |",
		"| **wsecho (a plain MessageFunc, with Detach)** |", "| gorilla/websocket", "| lxzan/gws",
		"With permessage-deflate:",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the output lacks %q", want)
		}
	}
	if want := "`go -C examples/interop run ./compare " + strings.Join(args, " ") + "`\n"; !strings.HasSuffix(got, want) {
		t.Errorf("the output does not end with %s", want)
	}
	chart, err := os.ReadFile(svg)
	if err != nil {
		t.Fatal(err)
	}
	if bars := strings.Count(string(chart), `<rect class="bar`); bars != 7*rows {
		t.Errorf("the chart has %d bars, want %d", bars, 7*rows)
	}
	if t.Failed() {
		t.Log(got)
	}
}

// A server that is no echo server fails, and the others are still compared.
func TestFailuresAreReported(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	cfg, err := parse([]string{"-quick", "-time", "20ms", "-libs", "raw", "-workloads", "64"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	servers, err := lineUp(ctx, cfg, dir, log.New(io.Discard, "", 0))
	if err != nil {
		t.Fatal(err)
	}
	broken := servers.plain[1]
	broken.command = []string{"/bin/echo", "nothing to see"}
	m := &meter{cfg: cfg, log: log.New(io.Discard, "", 0)}
	f, err := m.compare(ctx, append(servers.plain, broken), cfg.workloads)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Rows[1].Cells[0]; math.IsNaN(got) || got <= 0 {
		t.Errorf("raw has %v, want a ratio", got)
	}
	if got := f.Rows[2].Cells[0]; !math.IsNaN(got) {
		t.Errorf("the failed server has %v, want NaN", got)
	}
	if err := m.failed(); err == nil || err.Error() != "1 measurements failed" {
		t.Errorf("got %v", err)
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"-libs gws,socket.io", `-libs: there is no "socket.io", only wsecho,undetached,unbatched,gorilla,`},
		{"-workloads 64,65", `-workloads: there is no "65", only 16x64,16k,1m,64,1000,ask,handshakes,idle`},
		{"-rounds 0", "must be positive"},
		{"-idle -1", "must be positive"},
		{"now", `unexpected argument "now"`},
	} {
		_, err := parse(strings.Fields(tt.args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.args, err, tt.want)
		}
	}
	cfg, err := parse([]string{"-quick", "-rounds", "2", "-workloads", "idle,64", "-binary"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.rounds != 2 || cfg.idle != 2000 || cfg.time != 300*time.Millisecond {
		t.Errorf("got %d rounds of %v, %d idle", cfg.rounds, cfg.time, cfg.idle)
	}
	if got := workloadNames(cfg.workloads); !slices.Equal(got, []string{"idle", "64"}) {
		t.Errorf("got workloads %q", got)
	}
	if !cfg.workloads[1].traffic.Binary {
		t.Error("-binary has no effect")
	}
}

// Ratios are within a round; a round without the baseline does not count.
func TestSum(t *testing.T) {
	servers := make([]server, 2)
	servers[0].row.Baseline = true
	measured := [][]*figure{
		{{rate: 100}, {rate: 300}},
		{{rate: 10}, {rate: 20}},
		{nil, {rate: 1000}},
		{{rate: 50}, {rate: 200}},
	}
	c := rate("", "", "")
	if got := summarize(c, measured, servers, 1); got != 3 {
		t.Errorf("got %v, want 3", got)
	}
	if got := summarize(c, measured[2:3], servers, 1); !math.IsNaN(got) {
		t.Errorf("got %v, want NaN", got)
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("the median is %v, want 2.5", got)
	}
}

func TestParseCPU(t *testing.T) {
	const stat = "1234 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 75 13 14 20 0 8 0 99"
	if got, err := parseCPU(stat); err != nil || got != 3250*time.Millisecond {
		t.Errorf("got %v, %v; want 3.25s", got, err)
	}
	for _, bad := range []string{"", "1 (a) S 1 2", "1 (a) S 1 2 3 4 5 6 7 8 9 10 x 75 13"} {
		if _, err := parseCPU(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestCPUModel(t *testing.T) {
	const info = "processor\t: 0\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n\nprocessor\t: 1\nmodel name\t: X\n"
	if got := cpuModel(info, "amd64"); got != "AMD EPYC" {
		t.Errorf("got %q", got)
	}
	if got := cpuModel("processor\t: 0\n", "arm64"); got != "arm64" {
		t.Errorf("got %q", got)
	}
}

func TestReadAddr(t *testing.T) {
	const out = "some log line\nListening on http://127.0.0.1:80/ (WebSocket endpoint ws://127.0.0.1:81/ws)\n" +
		"another one\nDebugging on http://127.0.0.1:82/debug/pprof/\n"
	lines := bufio.NewScanner(strings.NewReader(out))
	for _, tt := range []struct{ scheme, want string }{
		{"ws://", "127.0.0.1:81"}, {"http://", "127.0.0.1:82"}, {"http://", ""},
	} {
		if got := readAddr(lines, tt.scheme); got != tt.want {
			t.Errorf("after %s: got %q, want %q", tt.scheme, got, tt.want)
		}
	}
}
