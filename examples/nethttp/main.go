// Command nethttp adds a WebSocket endpoint to an existing HTTP server. It is the sample in the
// README, which a test compares with it.
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
