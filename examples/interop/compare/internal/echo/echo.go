// Package echo has the servers that wsecho is compared with. Each is the echo loop in its library's
// documentation, with a greeting before every reply.
//
// They are neither tuned nor slowed down. They differ from the documentation only as the comparison
// requires: all accept messages of up to 2 MiB, and replies have the order and the types of the
// messages.
package echo

import (
	"errors"
	"net"
	"net/http"

	"example.com/wsecho/middleware"
)

// readLimit is the largest message in bytes, for libraries with a lower default.
const readLimit = 2 << 20

// A Server is an echo server on one library.
type Server struct {
	Name   string
	Note   string // what distinguishes it on the same library, or ""
	Module string // of the library, or "" if there is none
	Serve  func(net.Listener) error
}

// Servers returns all servers.
func Servers() []Server {
	hello := middleware.Echo(middleware.Greeting)
	return []Server{
		{
			Name: "undetached", Note: "Batched, without Detach",
			Module: Wsecho, Serve: overHTTP(wsecho(middleware.Batched(hello), false)),
		},
		{
			Name: "unbatched", Note: "a plain MessageFunc, with Detach",
			Module: Wsecho, Serve: overHTTP(wsecho(hello, true)),
		},
		{Name: "gorilla", Module: gorillaModule, Serve: overHTTP(gorillaEcho(false))},
		{
			Name: "gorilla-deflate", Note: "EnableCompression",
			Module: gorillaModule, Serve: overHTTP(gorillaEcho(true)),
		},
		{Name: "coder", Module: "github.com/coder/websocket", Serve: overHTTP(coderEcho())},
		{Name: "gobwas", Module: "github.com/gobwas/ws", Serve: overHTTP(gobwasEcho())},
		{Name: "gws", Module: "github.com/lxzan/gws", Serve: overHTTP(gwsEcho())},
		{Name: "nbio", Note: "its own engine", Module: nbioModule, Serve: nbioServe},
		{Name: "nbio-http", Note: "on net/http", Module: nbioModule, Serve: overHTTP(nbioEcho())},
		{Name: "melody", Module: "github.com/olahol/melody", Serve: overHTTP(melodyEcho())},
		{Name: "raw", Note: "no library: frame lengths over TCP", Serve: rawServe},
	}
}

// Find returns the server of that name.
func Find(name string) (Server, error) {
	for _, s := range Servers() {
		if s.Name == name {
			return s, nil
		}
	}
	return Server{}, errors.New("no such server")
}

// overHTTP serves the endpoint as most programs do, with net/http.
func overHTTP(h http.HandlerFunc) func(net.Listener) error {
	return func(l net.Listener) error {
		mux := http.NewServeMux()
		mux.HandleFunc("/ws", h)
		server := &http.Server{Handler: mux}
		return server.Serve(l)
	}
}

// greeting returns the prefix of every reply.
func greeting() []byte { return []byte(middleware.Greeting) }
