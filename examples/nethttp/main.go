// Command nethttp adds a WebSocket endpoint to an existing HTTP server. It is the sample in the
// README, which a test compares with it.
package main

import (
	"fmt"
	"log"
	"net/http"
	"time"

	"example.com/wsecho/middleware"
)

func main() {
	app := http.NewServeMux() // the handler you have
	app.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Hello!") })
	ws := middleware.New(middleware.Options{Path: "/ws"})
	server := &http.Server{Addr: "localhost:3000", ReadHeaderTimeout: 5 * time.Second}
	server.Handler = ws.Handler(app)
	fmt.Println("Listening on http://localhost:3000/")
	log.Fatal(server.ListenAndServe())
}
