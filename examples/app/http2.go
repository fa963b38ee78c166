package main

import (
	"net/http"
	"strings"
	"time"
)

// xconnect, in GODEBUG, makes net/http announce WebSockets over HTTP/2. It is read when the process
// starts, so that the program cannot set it for itself.
const xconnect = "http2xconnect=1"

// configureHTTP2 makes the server speak HTTP/2 without TLS, if asked to, and limits what a client
// can do to the streams it has beside each other.
func configureHTTP2(server *http.Server, h2c bool) {
	if h2c {
		server.Protocols = new(http.Protocols)
		server.Protocols.SetHTTP1(true)
		server.Protocols.SetUnencryptedHTTP2(true)
	}
	server.HTTP2 = &http.HTTP2Config{
		// The streams of a connection share 1 MiB, which one that is not read must not fill.
		MaxReceiveBufferPerStream: 64 << 10,
		// A client that takes nothing from the network holds its requests until it is cut.
		WriteByteTimeout: 10 * time.Second,
	}
}

// http2Note says, behind the addresses, whether browsers may use HTTP/2 for WebSockets.
func http2Note(cfg config) string {
	switch {
	case !cfg.tls && !cfg.h2c:
		return "" // They use HTTP/1.1.
	case cfg.xconnect:
		return ", with WebSockets over HTTP/2"
	}
	return ", without WebSockets over HTTP/2: for those, set GODEBUG=" + xconnect
}

// tellVersion tells the page which version of HTTP its WebSocket runs over. Of the answer to a
// handshake, a page can see nothing but cookies.
func tellVersion(ws *endpoints, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ws.Match(r) {
			http.SetCookie(w, &http.Cookie{
				Name: "websocket-http", Value: strings.TrimSuffix(r.Proto, ".0"),
				Path: "/", SameSite: http.SameSiteStrictMode,
			})
		}
		next.ServeHTTP(w, r)
	})
}
