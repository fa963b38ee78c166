//go:build linux

// Command compare compares the performance of wsecho with that of other WebSocket servers. From the
// root of the repository:
//
//	go -C examples/interop run ./compare -quick                     # about one minute
//	go -C examples/interop run ./compare                            # about ten minutes
//	go -C examples/interop run ./compare -svg compare/compare.svg   # with the chart of the README
//
// Every server echoes each message with the same prefix, in a new process for each measurement.
// Each round measures all servers, and ratios are taken within a round: the results are medians
// over the rounds of ratios to gorilla/websocket's ReadMessage and WriteMessage. All traffic is on
// the loopback interface. The program uses epoll and /proc, so it runs on Linux only.
//
// Three rows are of wsecho: "wsecho" is examples/app, whose handler is Batched and detached;
// "undetached" is Batched without Detach; "unbatched" is a plain MessageFunc with Detach.
//
// Of latencies, the 99th percentile is compared (p99). With one message in flight on each
// connection, a latency lasts from one reply to the next. "asks" are messages that one more client
// sends every 3 ms, whether or not the ones before are answered. Allocations are those of the
// server, net/http included, for a handshake and the close; servers in Go tell them by expvar.
package main

import (
	"context"
	"errors"
	"expvar"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"example.com/wsecho/examples/interop/compare/internal/echo"
	"example.com/wsecho/examples/interop/compare/internal/report"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		log.Fatal(serve(os.Args[2], os.Stdout))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		stop()
		log.SetFlags(0)
		log.Fatal("compare: ", err)
	}
}

// serve runs one of the servers in this process, and expvar at another address.
func serve(name string, stdout io.Writer) error {
	server, err := echo.Find(name)
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	debug, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "ws://%s/ws\nhttp://%s/debug/vars\n", l.Addr(), debug.Addr())
	failed := make(chan error, 2)
	go func() { failed <- http.Serve(debug, expvar.Handler()) }()
	go func() { failed <- server.Serve(l) }()
	return <-failed
}

// run measures the servers and prints the result.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg, err := parse(args, stderr)
	if err != nil {
		return err
	}
	progress := log.New(stderr, "", log.Ltime)
	dir, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	servers, err := lineUp(ctx, cfg, dir, progress)
	if err != nil {
		return err
	}
	machine := machine()
	command := strings.Join(append([]string{"go -C examples/interop run ./compare"}, args...), " ")

	m := &meter{cfg: cfg, log: progress}
	plain, err := m.compare(ctx, servers.plain, cfg.workloads)
	if err != nil {
		return err
	}
	deflate, err := m.compare(ctx, servers.deflate, compressed(cfg.workloads))
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s\n", report.Table(plain))
	if len(servers.deflate) > 0 {
		fmt.Fprintf(stdout, "With permessage-deflate:\n\n%s\n", report.Table(deflate))
	}
	fmt.Fprintf(stdout, "%s\n\n%s: `%s`\n", m.notes(), machine, command)
	if cfg.svg != "" {
		chart := report.Chart(plain, "Echo servers, compared", machine)
		if err := os.WriteFile(cfg.svg, []byte(chart), 0o644); err != nil {
			return err
		}
	}
	return m.failed()
}
