// Package wsnegroni adapts a WebSocket middleware to negroni.
//
//	n := negroni.Classic()
//	n.Use(wsnegroni.New(middleware.New(middleware.Options{Path: "/ws"})))
//	n.UseHandler(app)
//
// negroni's own adapters for an http.Handler, Wrap and UseHandler, call the rest of the pipeline
// when it returns, which then writes to a closed WebSocket. This adapter does not call next for
// WebSocket handshakes.
package wsnegroni

import (
	"net/http"

	"example.com/wsecho/middleware"
	"github.com/urfave/negroni/v3"
)

// Handler is a [negroni.Handler] of negroni v3. It also implements that of v1.
type Handler struct{ ws *middleware.Middleware }

var _ negroni.Handler = (*Handler)(nil)

// New returns ws as a negroni handler. Put it after recovery and logger, which then see WebSockets
// as requests with status 101, and before handlers that compress or buffer.
func New(ws *middleware.Middleware) *Handler { return &Handler{ws} }

// ServeHTTP serves WebSocket handshakes and passes every other request to next.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	h.ws.Handler(next).ServeHTTP(w, r)
}
