// Command negroni serves a WebSocket endpoint in a negroni pipeline, behind recovery and logger
// like every other request.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	wsnegroni "example.com/wsecho/adapters/negroni"
	"example.com/wsecho/middleware"
	"github.com/urfave/negroni/v3"
)

func main() {
	addr := flag.String("addr", ":3000", "`address` to listen on")
	flag.Parse()
	ws := middleware.New(middleware.Options{Path: "/ws"})
	handler := newHandler(ws, negroni.NewLogger())
	server := &http.Server{Addr: *addr, Handler: handler, ReadHeaderTimeout: 5 * time.Second}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		log.Fatal(err)
	case <-ctx.Done():
		stop() // A second signal ends the program at once.
	}
	if err := shutdown(server, ws); err != nil {
		log.Fatal(err)
	}
}

func newHandler(ws *middleware.Middleware, logger *negroni.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "respond with a resource")
	})
	n := negroni.New(negroni.NewRecovery(), logger, wsnegroni.New(ws))
	n.UseHandler(mux)
	return n
}

// shutdown shuts down server and ws concurrently: http.Server does not track hijacked connections.
func shutdown(server *http.Server, ws *middleware.Middleware) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- ws.Shutdown(ctx) }()
	return errors.Join(server.Shutdown(ctx), <-ended)
}
