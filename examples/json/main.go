// Command json answers JSON with JSON: it adds numbers up, for each connection on its own.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"example.com/wsecho/middleware"
)

type request struct {
	Add int `json:"add"`
}

type response struct {
	Sum   int    `json:"sum"`
	Error string `json:"error,omitempty"`
}

func main() {
	addr := flag.String("addr", "localhost:3000", "`address` to listen on")
	flag.Parse()
	fmt.Printf("Serving ws://%[1]s/ws, which adds up. Try:\n"+
		"  npx wscat -c ws://%[1]s/ws -x '{\"add\": 5}'\n", *addr)
	server := &http.Server{Addr: *addr, Handler: newHandler(), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func newHandler() http.Handler {
	return middleware.New(middleware.Options{
		Handler:   middleware.PerConn(begin),
		ReadLimit: 4096, // No request is longer.
	}).Handler(http.NotFoundHandler())
}

// begin is called once for each connection, whose messages are answered one by one: no lock needed.
func begin(context.Context, *middleware.Conn) (middleware.MessageFunc, error) {
	var out response
	return func(w io.Writer, m *middleware.Message) error {
		var in request
		out.Error = `send {"add": NUMBER}`      // A returned error would close the connection.
		if json.Unmarshal(m.Data, &in) == nil { // After an error, in may be set in part.
			out.Sum, out.Error = out.Sum+in.Add, ""
		}
		reply, err := json.Marshal(out)
		if err != nil {
			return err
		}
		_, err = w.Write(reply)
		return err
	}, nil
}
