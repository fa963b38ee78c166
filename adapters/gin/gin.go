// Package wsgin adapts a WebSocket middleware to gin.
//
//	r := gin.Default()
//	r.Use(wsgin.New(middleware.New(middleware.Options{Path: "/ws"})))
//	r.GET("/users", users)
//
// gin.WrapH also adapts an http.Handler, but calls the rest of the chain when it returns, which
// then writes to a closed WebSocket. This adapter aborts the chain for WebSocket handshakes. A
// route that serves only WebSockets needs no adapter:
//
//	r.Any("/ws", gin.WrapH(ws))
package wsgin

import (
	"net/http"

	"example.com/wsecho/middleware"
	"github.com/gin-gonic/gin"
)

// New returns ws as a gin middleware. Put it after logger and recovery, which then see WebSockets
// as requests with status 101, and before middleware that compresses or buffers. It needs no route:
// gin runs the middleware of an engine, unlike that of a group, for every request.
func New(ws *middleware.Middleware) gin.HandlerFunc {
	h := ws.Handler(http.HandlerFunc(noop))
	return func(c *gin.Context) {
		if ws.Match(c.Request) {
			c.Abort()
		}
		h.ServeHTTP(c.Writer, c.Request)
	}
}

// noop does nothing: gin itself calls the rest of the chain, unless it is aborted.
func noop(http.ResponseWriter, *http.Request) {}
