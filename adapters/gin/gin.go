// Package wsgin puts a WebSocket middleware into a gin engine.
//
//	r := gin.Default()
//	r.Use(wsgin.New(middleware.New(middleware.Options{Path: "/ws"})))
//	r.GET("/users", users)
//
// gin.WrapH makes a handler of an http.Handler, but goes on to the rest of the chain when it
// returns: after a WebSocket had ended that would write to it. This adapter goes on only with what
// is no WebSocket handshake. For a route that is nothing but a WebSocket, gin.WrapH does:
//
//	r.GET("/ws", gin.WrapH(ws))
package wsgin

import (
	"net/http"

	"example.com/wsecho/middleware"
	"github.com/gin-gonic/gin"
)

// New returns ws as a gin middleware. Put it behind logger and recovery, which then see
// WebSockets as requests with status 101, and in front of what compresses or buffers. It needs no
// route: gin runs the middlewares of an engine, other than those of a group, for every request.
func New(ws *middleware.Middleware) gin.HandlerFunc {
	h := ws.Handler(http.HandlerFunc(goOn))
	return func(c *gin.Context) {
		if ws.Match(c.Request) {
			c.Abort()
		}
		h.ServeHTTP(c.Writer, c.Request)
	}
}

// goOn has nothing to do: gin goes on by itself, unless the chain is aborted.
func goOn(http.ResponseWriter, *http.Request) {}
