// Command cookie lets users connect who have logged in, which a session cookie shows, until they
// log out or the session expires.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"example.com/wsecho/middleware"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "`address` to listen on")
	flag.Parse()
	fmt.Printf("Serving ws://%[1]s/ws for users who have logged in. Try:\n"+
		"  curl -i -d user=ada http://%[1]s/login\n"+
		"  npx wscat -c ws://%[1]s/ws -H 'Cookie: session=...'\n", *addr)
	handler := newHandler(time.Hour)
	server := &http.Server{
		Addr: *addr, Handler: handler, ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout: 10 * time.Second, // for a login that never comes; WebSockets have their own
	}
	log.Fatal(server.ListenAndServe())
}

func newHandler(lifetime time.Duration) http.Handler {
	s := &sessions{lifetime: lifetime}
	ws := middleware.New(middleware.Options{Handler: middleware.PerConn(greet)})
	mux := http.NewServeMux()
	mux.Handle("POST /login", http.MaxBytesHandler(http.HandlerFunc(s.login), 4096))
	mux.Handle("POST /logout", s.authenticate(http.HandlerFunc(logout)))
	mux.Handle("/ws", s.authenticate(ws))
	// Browsers send cookies for pages of other sites too. This keeps them from posting, as the
	// default of Options.AllowedOrigins keeps them from connecting.
	return http.NewCrossOriginProtection().Handler(mux)
}

// greet is called once for each connection. The function it returns answers the messages.
func greet(ctx context.Context, c *middleware.Conn) (middleware.MessageFunc, error) {
	s := sessionOf(ctx)
	// The session expires, or ends before that at a logout. Then c gets no more messages.
	stop := context.AfterFunc(s.active, func() { c.SetExpiry(time.Now()) })
	context.AfterFunc(ctx, func() { stop() })
	return func(w io.Writer, m *middleware.Message) error {
		_, err := fmt.Fprintf(w, "%s, you sent %s", s.user, m.Data)
		return err
	}, nil
}
