// Command shutdown ends gracefully: on SIGTERM or Ctrl-C, requests are finished, and WebSockets are
// closed with 1001, so that their clients know to reconnect.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/wsecho/middleware"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "`address` to listen on")
	flag.Parse()
	ws := middleware.New(middleware.Options{})
	server := &http.Server{
		Addr: *addr, Handler: ws.Handler(http.NotFoundHandler()), ReadHeaderTimeout: 5 * time.Second,
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Printf("Serving ws://%[1]s/ws, an echo. Try this, and press Ctrl-C here:\n"+
		"  npx wscat -c ws://%[1]s/ws\n", *addr)
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		log.Fatal(err)
	case <-ctx.Done():
		stop() // A second signal ends the program at once.
	}
	log.Printf("shutting down; open WebSockets: %d", ws.NumConns())
	if err := shutdown(server, ws, 10*time.Second); err != nil {
		log.Fatalf("not everything ended in time: %v", err)
	}
}

// shutdown shuts down both halves at the same time. http.Server does not track WebSockets, and one
// after the other, a hanging handler of one half would take the time of both.
func shutdown(server *http.Server, ws *middleware.Middleware, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- ws.Shutdown(ctx) }()
	return errors.Join(server.Shutdown(ctx), <-ended)
}
