// Command app is a small web application with a WebSocket endpoint, the counterpart of an
// Express-generated application whose bin/www was given a WebSocket server. Its page is an
// echo console.
//
//	go run ./examples/app                      # http://localhost:3000/, or $PORT
//	go run ./examples/app -addr 127.0.0.1:8443 -tls
//	GODEBUG=http2xconnect=1 go run ./examples/app -tls   # WebSockets over HTTP/2
//	PORT=/tmp/app.sock go run ./examples/app   # a Unix socket
//
// On a loopback address, without -behind-proxy, it also has an inspector, at /ws/inspect, which
// tells clients what arrives.
//
// On SIGINT and SIGTERM, it says how many WebSockets are open, closes each with 1001, lets running
// requests end, and exits with status 0; a second signal ends the process at once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run runs the program and returns its exit status: 2 for a bad flag, 1 for a later error.
func run(
	ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer,
) int {
	cfg, err := parse(args, getenv, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "app: %v (-h lists the flags)\n", err)
		return 2
	}
	if err := serve(ctx, cfg, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}
