// Command push sends the time every second to clients that only read.
package main

import (
	"context"
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
	fmt.Printf("Serving ws://%[1]s/ws, which sends the time. Try:\n"+
		"  npx wscat -c ws://%[1]s/ws\n", *addr)
	server := &http.Server{
		Addr: *addr, Handler: newHandler(time.Second), ReadHeaderTimeout: 5 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}

func newHandler(interval time.Duration) http.Handler {
	clock := middleware.HandlerFunc(func(ctx context.Context, c *middleware.Conn) error {
		return push(ctx, c, interval)
	})
	ws := middleware.New(middleware.Options{
		Handler:   clock,
		ReadLimit: 1, // Clients have nothing to say.
	})
	return ws.Handler(http.NotFoundHandler())
}

// push sends until the connection ends. Somebody has to read, even though no messages are expected:
// reading is what answers pings, and notices that the client has gone.
func push(ctx context.Context, c *middleware.Conn, interval time.Duration) error {
	go func() { _ = c.Discard() }()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			text := now.AppendFormat(nil, time.RFC3339)
			if err := c.WriteMessage(middleware.TextMessage, text); err != nil {
				return err
			}
		}
	}
}
