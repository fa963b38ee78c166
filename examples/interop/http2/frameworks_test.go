package http2_test

import (
	"io"
	"net/http"
	"testing"

	wsgin "example.com/wsecho/adapters/gin"
	wsnegroni "example.com/wsecho/adapters/negroni"
	"example.com/wsecho/middleware"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"
	echov4 "github.com/labstack/echo/v4"
	echomw4 "github.com/labstack/echo/v4/middleware"
	echov5 "github.com/labstack/echo/v5"
	echomw5 "github.com/labstack/echo/v5/middleware"
	negroni1 "github.com/urfave/negroni"
	"github.com/urfave/negroni/v3"
)

type ws = *middleware.Middleware

// The writers of frameworks are seen through, as middleware and as the endpoint of a route for any
// method or for CONNECT. A route for GET alone does not match.
func TestFrameworks(t *testing.T) {
	gin.SetMode(gin.ReleaseMode) // prints nothing
	for _, test := range []struct {
		name   string
		h      func(ws) http.Handler
		status string
	}{
		{"ServeMux", func(ws ws) http.Handler { return muxWith("/ws", ws) }, "200"},
		{"ServeMux, CONNECT", func(ws ws) http.Handler { return muxWith("CONNECT /ws", ws) }, "200"},
		{"ServeMux, GET", func(ws ws) http.Handler { return muxWith("GET /ws", ws) }, "405"},
		{"chi middleware", chiUse, "200"},
		{"chi Handle", func(ws ws) http.Handler { r := chi.NewRouter(); r.Handle("/ws", ws); return r }, "200"},
		{"chi Get", func(ws ws) http.Handler { r := chi.NewRouter(); r.Get("/ws", ws.ServeHTTP); return r }, "405"},
		{"gorilla/mux Handle", func(ws ws) http.Handler { r := mux.NewRouter(); r.Handle("/ws", ws); return r }, "200"},
		{"gin middleware", func(ws ws) http.Handler { r := gin.New(); r.Use(wsgin.New(ws)); return r }, "200"},
		{"gin Any", func(ws ws) http.Handler { r := gin.New(); r.Any("/ws", gin.WrapH(ws)); return r }, "200"},
		{"gin GET", func(ws ws) http.Handler { r := gin.New(); r.GET("/ws", gin.WrapH(ws)); return r }, "404"},
		{"echo v4 middleware, gzip", func(ws ws) http.Handler {
			e := echov4.New()
			e.Use(echomw4.Gzip(), echov4.WrapMiddleware(ws.Handler))
			e.GET("/users", func(echov4.Context) error { return nil })
			return e
		}, "200"},
		{"echo v4 Any", func(ws ws) http.Handler { e := echov4.New(); e.Any("/ws", echov4.WrapHandler(ws)); return e }, "200"},
		{"echo v5 middleware, gzip", func(ws ws) http.Handler {
			e := echov5.New()
			e.Use(echomw5.Gzip(), echov5.WrapMiddleware(ws.Handler))
			return e
		}, "200"},
		{"echo v5 Any", func(ws ws) http.Handler { e := echov5.New(); e.Any("/ws", echov5.WrapHandler(ws)); return e }, "200"},
		{"negroni v1", func(ws ws) http.Handler { return negroni1.New(negroni1.NewRecovery(), wsnegroni.New(ws)) }, "200"},
		{"negroni v3", func(ws ws) http.Handler { return negroni.New(negroni.NewRecovery(), wsnegroni.New(ws)) }, "200"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := newEndings(t)
			c := dial(t, serve(t, e.around(test.h(echo(middleware.Options{})))))
			s := c.open("accept-encoding= gzip")
			s.wantStatus(test.status)
			if test.status == "200" {
				s.send(hello + bye)
				s.want(helloBack + byeBack)
				s.wantEnd()
			} else {
				_, _ = io.Copy(io.Discard, s)
			}
			receive(t, e.returned)
		})
	}
}

// ServeMux compares the host of a CONNECT with its port, if it has one: a pattern with a host
// matches on the default port alone.
func TestHostPatterns(t *testing.T) {
	m := http.NewServeMux()
	m.Handle("chat.example.com/", echo(middleware.Options{}).Handler(app()))
	m.Handle("chat.example.net:8443/", echo(middleware.Options{}).Handler(app()))
	s := serve(t, m)
	for authority, want := range map[string]string{
		"chat.example.com":      "200",
		"chat.example.com:8443": "404",
		"chat.example.net:8443": "200",
		"chat.example.net":      "404",
		"evil.example":          "404",
	} {
		dial(t, s).open(":authority= " + authority).wantStatus(want)
	}
}

func muxWith(pattern string, h http.Handler) http.Handler {
	m := http.NewServeMux()
	m.Handle(pattern, h)
	return m
}

func chiUse(ws ws) http.Handler {
	r := chi.NewRouter()
	r.Use(ws.Handler)
	r.Get("/users", func(http.ResponseWriter, *http.Request) {}) // chi runs nothing without a route
	return r
}
