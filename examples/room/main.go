// Command room sends what a client says to everybody in the room, and drops whoever cannot keep up.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"

	"example.com/wsecho/middleware"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "`address` to listen on")
	flag.Parse()
	fmt.Printf("Serving ws://%[1]s/ws, a room. Try in two terminals:\n"+
		"  npx wscat -c ws://%[1]s/ws\n", *addr)
	handler := newHandler(newRoom())
	server := &http.Server{Addr: *addr, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func newHandler(r *room) http.Handler {
	ws := middleware.New(middleware.Options{
		Handler:   middleware.HandlerFunc(r.serve),
		ReadLimit: 4096, // A member may have 64 messages waiting.
	})
	return ws.Handler(http.NotFoundHandler())
}
