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
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
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

// serve runs one of the servers in this process.
func serve(name string, stdout io.Writer) error {
	server, err := echo.Find(name)
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "ws://%s/ws\n", l.Addr())
	return server.Serve(l)
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
