package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"

	"example.com/wsecho/middleware"
)

// endpoints are the WebSocket endpoints of the application.
type endpoints struct {
	echo      *middleware.Middleware
	inspector *inspector // nil: none
	all       []*middleware.Middleware
}

// newEndpoints returns the endpoints. There are statistics only where they are shown: hooks cost
// memory for each connection.
func newEndpoints(cfg config, logger *slog.Logger, stats *statistics) *endpoints {
	cfg.ws.Logger = logger
	if cfg.debug != nil {
		cfg.ws.Hooks = stats.hooks()
	}
	echo := middleware.New(cfg.ws)
	if cfg.inspect == "off" || cfg.inspect == "auto" && !cfg.isLocal() {
		return &endpoints{echo, nil, []*middleware.Middleware{echo}}
	}
	path := strings.TrimSuffix(cfg.ws.Path, "/") + "/inspect"
	in := newInspector(path, cfg.credentials, cfg.ws)
	return &endpoints{echo, in, []*middleware.Middleware{echo, in.pinging, in.silent}}
}

func (e *endpoints) inspectPath() string {
	if e.inspector == nil {
		return ""
	}
	return e.inspector.path
}

// Match reports whether r asks for a WebSocket of one of the endpoints.
func (e *endpoints) Match(r *http.Request) bool {
	return slices.ContainsFunc(e.all, func(ws *middleware.Middleware) bool { return ws.Match(r) })
}

// Handler, NumConns and Shutdown are those of [middleware.Middleware]. The path of the inspector
// may be within that of the echo, so it comes first.
func (e *endpoints) Handler(next http.Handler) http.Handler {
	next = e.echo.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.inspector != nil && r.URL.Path == e.inspector.path {
			e.inspector.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (e *endpoints) NumConns() (n int) {
	for _, ws := range e.all {
		n += ws.NumConns()
	}
	return n
}

func (e *endpoints) Shutdown(ctx context.Context) error {
	ended := make(chan error)
	for _, ws := range e.all {
		go func() { ended <- ws.Shutdown(ctx) }()
	}
	var err error
	for range e.all {
		err = errors.Join(err, <-ended)
	}
	return err
}

// isLocal reports whether all clients are on this machine, as far as the flags tell: without
// -behind-proxy, a proxy on this machine looks like any of them.
func (c config) isLocal() bool { return c.addr.isLoopback() && c.ws.Client == nil }

// isLoopback reports whether only this machine can connect. A Unix socket is for a proxy.
func (a address) isLoopback() bool {
	ip := net.ParseIP(a.host)
	return a.socket == "" && (a.host == "localhost" || ip != nil && ip.IsLoopback())
}

func defineInspector(fs *flag.FlagSet, cfg *config) {
	fs.Var(value[string]{&cfg.inspect, parseInspect}, "inspect",
		"serve an inspector of connections below -path, at /inspect, whose query may have\n"+
			"delay, size, every, close, cut, ping, status; `mode` is on, off, or auto: on if\n"+
			"-addr is localhost or a loopback address, without -behind-proxy;\n"+
			"its WebSockets count apart, and those with ping=off, too")
	fs.Var(value[bool]{&cfg.credentials, parseBool}, "inspect-credentials",
		"let the inspector show credentials, which it masks otherwise")
}

func parseInspect(s string) (string, error) {
	switch s {
	case "auto", "on", "off":
		return s, nil
	}
	return "", errors.New("must be auto, on or off")
}
