package echo

import (
	"net/http"

	"example.com/wsecho/middleware"
)

// Wsecho is the module of the servers that are variants of the one in examples/app.
const Wsecho = "example.com/wsecho"

func wsecho(h middleware.Handler, detach bool) http.HandlerFunc {
	ws := middleware.New(middleware.Options{Handler: h, Detach: detach, ReadLimit: readLimit})
	return ws.ServeHTTP
}
