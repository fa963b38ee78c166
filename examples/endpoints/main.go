// Command endpoints serves two WebSocket endpoints beside an ordinary page. Each has its own
// handler, limits and shutdown.
package main

import (
	"bytes"
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
	fmt.Printf("Serving ws://%[1]s/echo and ws://%[1]s/upper beside http://%[1]s/. Try:\n"+
		"  npx wscat -c ws://%[1]s/echo\n"+
		"  npx wscat -c ws://%[1]s/upper\n", *addr)
	server := &http.Server{Addr: *addr, Handler: newHandler(), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func newHandler() http.Handler {
	echo := middleware.New(middleware.Options{})
	upper := middleware.New(middleware.Options{
		Handler:   middleware.MessageFunc(toUpper),
		ReadLimit: 1024,
	})
	mux := http.NewServeMux()
	mux.Handle("/echo", echo) // The path is the mux's to match: Options.Path is not looked at.
	mux.Handle("/upper", upper)
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "an ordinary page\n")
	})
	return mux
}

func toUpper(w io.Writer, m *middleware.Message) error {
	if m.Type != middleware.TextMessage {
		return &middleware.CloseError{Code: 1003, Reason: "send text"} // Unsupported Data
	}
	_, err := w.Write(bytes.ToUpper(m.Data))
	return err
}
