package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// serve listens, prints the URLs, and serves until ctx is done or a signal arrives; then it drains.
func serve(ctx context.Context, cfg config, stdout, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	lines := log.New(stdout, "", 0)
	stats := new(statistics)
	ws := newEndpoints(cfg, logger, stats)
	server, err := newServer(cfg, ws, lines, logger)
	if err != nil {
		return err
	}
	listener, err := cfg.addr.listen()
	if err != nil {
		return fmt.Errorf("%w; -addr or PORT chooses another", err)
	}
	defer listener.Close()
	var debug net.Listener
	if cfg.debug != nil {
		if debug, err = cfg.debug.listen(); err != nil {
			return fmt.Errorf("%w; -debug-addr chooses another", err)
		}
		debugServer := newDebugServer(logger, stats)
		defer debugServer.Close()
		go debugServer.Serve(debug)
	}
	announce(lines, cfg, listener)
	announceDebug(lines, cfg, debug)
	failed := make(chan error, 1)
	go func() { failed <- serveOn(server, listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("app: %w", err)
	case <-ctx.Done():
		stop() // restores the default action: a second signal ends the process
		drain(server, ws, cfg.drain, lines, logger)
		return nil
	}
}

func announceDebug(lines *log.Logger, cfg config, debug net.Listener) {
	if debug != nil {
		lines.Print("Debugging on " + cfg.debug.url("http", debug, "/debug/pprof/"))
		warnExposed(lines, debug, "-debug-addr")
	}
}

// newServer wraps the routes in the WebSocket middleware, and that in the access log, which so
// logs the 101 of WebSockets too.
func newServer(
	cfg config, ws *endpoints, lines *log.Logger, logger *slog.Logger,
) (*http.Server, error) {
	site, err := routes(cfg.ws, ws.inspectPath())
	if err != nil {
		return nil, err
	}
	handler := tellVersion(ws, ws.Handler(site))
	if !cfg.quiet {
		handler = accessLog(lines, handler)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second, // for a body that never comes; hijacking clears it
		IdleTimeout:       2 * time.Minute,
		ConnContext:       keepConn,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	configureHTTP2(server, cfg.h2c)
	if cfg.tls {
		certificate, err := selfSigned(cfg.addr.host)
		if err != nil {
			return nil, fmt.Errorf("app: making a certificate: %w", err)
		}
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	}
	return server, nil
}

func serveOn(server *http.Server, listener net.Listener) error {
	if server.TLSConfig != nil {
		return server.ServeTLS(listener, "", "")
	}
	return server.Serve(listener)
}

// announce prints the addresses. The first line has those for this machine.
func announce(lines *log.Logger, cfg config, listener net.Listener) {
	if cfg.addr.socket != "" {
		lines.Print("Listening on pipe " + cfg.addr.socket + http2Note(cfg))
		return
	}
	web, ws := "http", "ws"
	if cfg.tls {
		web, ws = "https", "wss"
	}
	lines.Printf("Listening on %s (WebSocket endpoint %s)%s",
		cfg.addr.url(web, listener, "/"), cfg.addr.url(ws, listener, cfg.ws.Path), http2Note(cfg))
	warnExposed(lines, listener, "-addr")
}

// warnExposed prints a line if the listener is on every interface, which the URL, that of
// localhost, does not show. The flag chooses another address.
func warnExposed(lines *log.Logger, listener net.Listener, flag string) {
	tcp, ok := listener.Addr().(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		lines.Printf("Listening on every interface (%v): other machines can connect; "+
			"%s localhost:%d keeps them out", tcp, flag, tcp.Port)
	}
}

// drain shuts down server and ws concurrently: http.Server does not track hijacked connections
// (golang/go#17721), and must accept no new ones while WebSockets close. Cut connections are worth
// a warning, but are no error.
func drain(
	server *http.Server, ws *endpoints, limit time.Duration,
	lines *log.Logger, logger *slog.Logger,
) {
	lines.Printf("Draining for up to %v, or until a second signal; open WebSockets: %d",
		limit, ws.NumConns())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var left atomic.Int64
	// The limit includes the time to cut the remaining connections.
	cutAfter := limit - min(limit/5, time.Second)
	timer := time.AfterFunc(cutAfter, func() {
		left.Store(int64(ws.NumConns())) // before they are cut
		cancel()
	})
	defer timer.Stop()
	ctx = planned{ctx, time.Now().Add(cutAfter)}
	drained := make(chan error, 1)
	go func() { drained <- ws.Shutdown(ctx) }()
	if err := errors.Join(server.Shutdown(ctx), <-drained); err != nil {
		logger.Warn("drain timeout exceeded: connections were cut",
			"drain", limit, "websockets", left.Load())
		_ = server.Close()
		return
	}
	lines.Print("Drained: all connections have ended")
}

// planned is a context that is canceled by hand, but at the deadline: -drain-spread depends on it.
type planned struct {
	context.Context
	deadline time.Time
}

// Deadline implements [context.Context].
func (p planned) Deadline() (time.Time, bool) { return p.deadline, true }
