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
	"syscall"
	"time"

	"example.com/wsecho/middleware"
)

// serve listens, says so, and serves until ctx ends or a signal comes; then it drains.
func serve(ctx context.Context, cfg config, stdout, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	lines := log.New(stdout, "", 0)
	cfg.ws.Logger = logger
	ws := middleware.New(cfg.ws)
	server, err := newServer(cfg, ws, lines, logger)
	if err != nil {
		return err
	}
	listener, err := cfg.at.listen()
	if err != nil {
		return err
	}
	defer listener.Close()
	var debug net.Listener
	if cfg.debug != nil {
		if debug, err = cfg.debug.listen(); err != nil {
			return err
		}
		debugServer := newDebugServer(logger)
		defer debugServer.Close()
		go debugServer.Serve(debug)
	}
	lines.Print(announce(cfg, listener))
	if debug != nil {
		lines.Print("Debugging on " + cfg.debug.url("http", debug, "/debug/pprof/"))
	}

	failed := make(chan error, 1)
	go func() { failed <- serveOn(server, listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("app: %w", err)
	case <-ctx.Done():
		stop() // a second signal now meets its default action, and ends the process
		drain(server, ws, cfg.drain, logger)
		return nil
	}
}

// newServer wraps the routes in the WebSocket middleware, and that in the access log, which so
// sees the 101 of a WebSocket too.
func newServer(
	cfg config, ws *middleware.Middleware, lines *log.Logger, logger *slog.Logger,
) (*http.Server, error) {
	site, err := routes(cfg.ws)
	if err != nil {
		return nil, err
	}
	handler := ws.Handler(site)
	if !cfg.quiet {
		handler = accessLog(lines, handler)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	if cfg.tls {
		certificate, err := selfSigned(cfg.at.host)
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

func announce(cfg config, listener net.Listener) string {
	if cfg.at.pipe != "" {
		return "Listening on pipe " + cfg.at.pipe
	}
	web, ws := "http", "ws"
	if cfg.tls {
		web, ws = "https", "wss"
	}
	return fmt.Sprintf("Listening on %s (WebSocket endpoint %s)",
		cfg.at.url(web, listener, "/"), cfg.at.url(ws, listener, cfg.ws.Path))
}

// drain shuts down both halves at once, since http.Server forgets the connections that have
// become WebSockets: no new ones come in while the old ones say goodbye. Having to cut some is
// worth a warning, but no failure of the program.
func drain(server *http.Server, ws *middleware.Middleware, limit time.Duration, log *slog.Logger) {
	// Cutting what is left takes a moment, and is to be over by then too.
	margin := min(limit/5, time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), limit-margin)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- ws.Shutdown(ctx) }()
	if err := errors.Join(server.Shutdown(ctx), <-drained); err != nil {
		log.Warn("connections were cut at the end of the drain time", "drain", limit)
		_ = server.Close()
	}
}
