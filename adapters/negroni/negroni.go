// Package wsnegroni puts a WebSocket middleware into a negroni pipeline.
//
//	n := negroni.Classic()
//	n.Use(wsnegroni.New(middleware.New(middleware.Options{Path: "/ws"})))
//	n.UseHandler(app)
//
// negroni's own ways to take an http.Handler, Wrap and UseHandler, go on to the rest of the
// pipeline when it returns: after a WebSocket had ended they would write to it. This adapter goes
// on only with what is no WebSocket handshake.
package wsnegroni

import (
	"net/http"

	"example.com/wsecho/middleware"
	"github.com/urfave/negroni/v3"
)

// Handler is a [negroni.Handler] of negroni v3; that of v1 has the same methods.
type Handler struct{ ws *middleware.Middleware }

var _ negroni.Handler = (*Handler)(nil)

// New returns ws as a handler of a negroni pipeline. Put it behind recovery and logger, which
// then see WebSockets as requests with status 101, and in front of what compresses or buffers.
func New(ws *middleware.Middleware) *Handler { return &Handler{ws} }

// ServeHTTP serves WebSocket handshakes and hands every other request to next.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	h.ws.Handler(next).ServeHTTP(w, r)
}
