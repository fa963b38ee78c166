// Command endpoints serves two WebSocket endpoints beside an ordinary page. Each has its own
// handler and limits. On SIGINT or SIGTERM, they are shut down together.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"example.com/wsecho/middleware"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "`address` to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	fmt.Printf("Serving ws://%[1]s/echo and ws://%[1]s/upper beside http://%[1]s/. Try:\n"+
		"  npx wscat -c ws://%[1]s/echo\n"+
		"  npx wscat -c ws://%[1]s/upper\n", *addr)
	echo, upper := newEndpoints()
	server := &http.Server{
		Addr: *addr, Handler: newHandler(echo, upper), ReadHeaderTimeout: 5 * time.Second,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		log.Fatal(err)
	case <-ctx.Done():
		stop() // A second signal ends the program at once.
	}
	limit, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := together(limit, server.Shutdown, echo.Shutdown, upper.Shutdown); err != nil {
		log.Print(errors.Join(err, server.Close()))
	}
}

func newHandler(echo, upper *middleware.Middleware) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/echo", echo) // The path is the mux's to match: Options.Path is not looked at.
	mux.Handle("/upper", upper)
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "an ordinary page\n")
	})
	return mux
}
