// Command token lets clients connect that have a bearer token, until that expires.
package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
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
	// One token, made anew at each start. Your verify looks tokens up, or checks their signature.
	token, ada := rand.Text(), claims{"ada", time.Now().Add(5 * time.Minute)}
	verify := func(t string) (claims, bool) {
		return ada, subtle.ConstantTimeCompare([]byte(t), []byte(token)) == 1
	}
	fmt.Printf("Serving ws://%[1]s/ws for 5 minutes. Try, as a program and as a browser would:\n"+
		"  npx wscat -c ws://%[1]s/ws -H 'Authorization: Bearer %[2]s'\n"+
		"  npx wscat -c ws://%[1]s/ws -s bearer -s %[2]s\n", *addr, token)
	handler := newHandler(verify)
	server := &http.Server{Addr: *addr, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func newHandler(verify func(token string) (claims, bool)) http.Handler {
	ws := middleware.New(middleware.Options{
		Handler:      middleware.PerConn(greet),
		Expires:      expiry,
		Subprotocols: []string{"bearer"}, // what a browser is answered, rather than its token
	})
	return authenticate(verify, ws.Handler(http.NotFoundHandler()))
}

func expiry(r *http.Request) time.Time { return claimsOf(r.Context()).expires }

// greet is called once for each connection. The function it returns answers the messages.
func greet(ctx context.Context, _ *middleware.Conn) (middleware.MessageFunc, error) {
	user := claimsOf(ctx).user
	return func(w io.Writer, m *middleware.Message) error {
		_, err := fmt.Fprintf(w, "%s, you sent %s", user, m.Data)
		return err
	}, nil
}
