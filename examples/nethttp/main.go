// Command nethttp is the shortest way to a WebSocket endpoint in an HTTP server that already
// works: the sample of the README, which a test keeps equal to it.
package main

import (
	"log"
	"net/http"
	"time"

	"example.com/wsecho/middleware"
)

func main() {
	app := http.FileServer(http.Dir("public")) // the handler you have
	ws := middleware.New(middleware.Options{Path: "/ws"})
	server := &http.Server{
		Addr:              ":3000",
		Handler:           ws.Handler(app),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}
