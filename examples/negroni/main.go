// Command negroni serves a WebSocket endpoint in a negroni pipeline, behind recovery and logger
// like every other request.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
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
	addr := flag.String("addr", "localhost:3000", "`address` to listen on")
	flag.Parse()
	ws := middleware.New(middleware.Options{Path: "/ws"})
	handler := newHandler(ws, negroni.NewLogger())
	server := &http.Server{Addr: *addr, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	fmt.Printf("Serving ws://%[1]s/ws in a negroni pipeline, which logs requests. Try:\n"+
		"  curl http://%[1]s/users\n  npx wscat -c ws://%[1]s/ws\n", *addr)

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
		fmt.Fprint(w, "respond with a resource")
	})
	return negroni.New(negroni.NewRecovery(), logger, wsnegroni.New(ws), negroni.Wrap(mux))
}

// shutdown shuts down server and ws concurrently: http.Server does not track hijacked connections.
func shutdown(server *http.Server, ws *middleware.Middleware) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- ws.Shutdown(ctx) }()
	return errors.Join(server.Shutdown(ctx), <-ended)
}
