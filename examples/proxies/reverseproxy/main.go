// Reverseproxy is Go's httputil.ReverseProxy in front of a server with the wsecho middleware, such
// as examples/app. It does not cut idle connections.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "address to listen on")
	upstream := flag.String("upstream", "http://localhost:3000", "the server's URL")
	cert := flag.String("cert", "", "file with the certificate, for TLS")
	key := flag.String("key", "", "file with its key")
	drain := flag.Duration("drain", 10*time.Second, "how long connections may take to end")
	flag.Parse()
	target, err := url.Parse(*upstream)
	if err != nil {
		log.Fatal(err)
	}
	proxy := &drainer{Handler: &httputil.ReverseProxy{Rewrite: rewrite(target)}}
	// ReadTimeout and WriteTimeout would not apply to WebSockets.
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: 5 * time.Second}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Forwarding %s to %s\n", *addr, target)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() {
		if err := serve(server, listener, *cert, *key); !errors.Is(err, http.ErrServerClosed) {
			log.Fatal(err)
		}
	}()
	<-ctx.Done()
	ctx, cancel := context.WithTimeout(context.Background(), *drain)
	defer cancel()
	if err := errors.Join(server.Shutdown(ctx), proxy.wait(ctx)); err != nil {
		log.Print(err)
	}
}

func serve(server *http.Server, listener net.Listener, cert, key string) error {
	if cert == "" {
		return server.Serve(listener)
	}
	return server.ServeTLS(listener, cert, key)
}

func rewrite(target *url.URL) func(*httputil.ProxyRequest) {
	return func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		// The server compares Origin with Host. SetURL would make it that of the target.
		r.Out.Host = r.In.Host
		// For handlers, in Conn.Request().Header. Rewrite has removed what the client sent.
		r.SetXForwarded()
	}
}

// drainer waits for requests as Server.Shutdown does, and for WebSockets, which Shutdown forgets:
// ReverseProxy.ServeHTTP returns when they end.
type drainer struct {
	http.Handler
	running sync.WaitGroup
}

func (d *drainer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.running.Add(1)
	defer d.running.Done()
	d.Handler.ServeHTTP(w, r)
}

func (d *drainer) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { d.running.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("cut WebSockets: %w", ctx.Err())
	}
}
