// Command http3 serves WebSockets over HTTP/3 too, with quic-go, on the port that serves HTTP/1.1
// and HTTP/2. The middleware needs no option for it.
//
//	GODEBUG=http2xconnect=1 go -C examples/interop run ./http3 -cert cert.pem -key key.pem
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"

	"example.com/wsecho/middleware"
	"github.com/quic-go/quic-go/http3"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "listen on `host:port`, with TCP and UDP")
	cert := flag.String("cert", "cert.pem", "certificate `file`")
	key := flag.String("key", "key.pem", "`file` of the certificate's key")
	flag.Parse()
	app := http.NewServeMux()
	app.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello over %s!\n", r.Proto)
	})
	ws := middleware.New(middleware.Options{Path: "/ws"})
	fmt.Printf("Serving https://%[1]s/ and wss://%[1]s/ws\n", *addr)
	log.Fatal(serve(*addr, *cert, *key, ws.Handler(app)))
}

// serve serves the handler over HTTP/1.1, HTTP/2 and HTTP/3 until one of the servers fails.
func serve(addr, cert, key string, h http.Handler) error {
	h3 := &http3.Server{Addr: addr, Handler: h}
	server := &http.Server{
		Addr:              addr,
		ReadHeaderTimeout: 5 * time.Second,
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream: 64 << 10,         // an unread stream must not block the others
			WriteByteTimeout:          10 * time.Second, // nor a client that reads nothing stay
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = h3.SetQUICHeaders(w.Header()) // Alt-Svc; fails until h3 listens
			h.ServeHTTP(w, r)
		}),
	}
	failed := make(chan error, 2)
	go func() { failed <- h3.ListenAndServeTLS(cert, key) }()
	go func() { failed <- server.ListenAndServeTLS(cert, key) }()
	return <-failed
}
