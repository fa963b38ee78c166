package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

// A client that announces a body and sends none is cut after the ReadTimeout, a WebSocket is not.
func TestReadTimeout(t *testing.T) {
	for _, scheme := range []string{"ws", "wss"} {
		t.Run(scheme, func(t *testing.T) {
			addr := serveBriefly(t, 200*time.Millisecond, scheme == "wss")
			c := dial(t, scheme+"://"+addr+"/ws")
			for _, path := range []string{"/users", "/ws"} {
				conn := dialRaw(t, addr, scheme == "wss")
				fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", path)
				if _, err := io.ReadAll(conn); err != nil {
					t.Errorf("POST %s: %v, want the end of the stream", path, err)
				}
			}
			if got := echo(t, c, "hi"); got != middleware.Greeting+"hi" {
				t.Errorf("reply %q after the timeout", got)
			}
		})
	}
}

// serveBriefly runs the application's server with another ReadTimeout.
func serveBriefly(t *testing.T, readTimeout time.Duration, secure bool) (addr string) {
	t.Helper()
	args := []string{"-quiet", "-addr", "127.0.0.1:0", fmt.Sprintf("-tls=%v", secure)}
	cfg, err := parse(args, env("", ""), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ws.Logger = slog.New(slog.DiscardHandler)
	server, err := newServer(cfg, newEndpoints(cfg, cfg.ws.Logger, new(statistics)), nil, cfg.ws.Logger)
	if err != nil {
		t.Fatal(err)
	}
	if got := server.ReadTimeout; got < 10*time.Second || got > time.Minute {
		t.Errorf("ReadTimeout %v, want about 30s", got)
	}
	server.ReadTimeout = readTimeout
	listener, err := cfg.addr.listen()
	if err != nil {
		t.Fatal(err)
	}
	go serveOn(server, listener)
	t.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

func dialRaw(t *testing.T, addr string, secure bool) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if secure {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(timeout))
	return conn
}
