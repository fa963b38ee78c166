package main

import (
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"
)

// newDebugServer serves profiles and variables. They are for the operator only, and so have a
// separate listener. Their packages also register with [http.DefaultServeMux], which an application
// that imports them must not serve.
func newDebugServer(logger *slog.Logger, stats *statistics) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.Handle("/debug/vars", stats)
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}
