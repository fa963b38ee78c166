// Command nats is examples/room for more than one process: what a client says to one of them is
// heard at all that are connected to the same NATS cluster.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"

	"example.com/wsecho/middleware"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "`address` to listen on")
	url := flag.String("nats", "", "`URL` of a NATS cluster; if empty, a server in this process")
	flag.Parse()
	options := []nats.Option{nats.MaxReconnects(-1)} // never gives up
	if *url == "" {
		s, err := embedded()
		if err != nil {
			log.Fatal(err)
		}
		options = append(options, nats.InProcessServer(s))
	}
	nc, err := nats.Connect(*url, options...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Serving ws://%[1]s/ws, a room. Try in two terminals:\n"+
		"  npx wscat -c ws://%[1]s/ws\n", *addr)
	web := &http.Server{Addr: *addr, Handler: newHandler(nc), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(web.ListenAndServe())
}

// embedded starts a NATS server that listens on no port.
func embedded() (*server.Server, error) {
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true})
	if err == nil {
		s.Start()
	}
	return s, err
}

func newHandler(nc *nats.Conn) http.Handler {
	ws := middleware.New(middleware.Options{
		Handler:   middleware.HandlerFunc(room{nc}.serve),
		ReadLimit: 4096, // A member may have 64 messages waiting.
	})
	return ws.Handler(http.NotFoundHandler())
}
