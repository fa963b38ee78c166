package matrix_test

import (
	"io"
	"net/http"

	wsgin "example.com/wsecho/adapters/gin"
	wsnegroni "example.com/wsecho/adapters/negroni"
	"example.com/wsecho/middleware"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"
	"github.com/julienschmidt/httprouter"
	"github.com/justinas/alice"
	echov4 "github.com/labstack/echo/v4"
	echov5 "github.com/labstack/echo/v5"
	negroniv1 "github.com/urfave/negroni"
	"github.com/urfave/negroni/v3"
)

const resource = "respond with a resource"

// users is the route that every framework has beside the WebSocket.
func users(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, resource) }

// ownUse is the middleware for a framework's own Use; all other middleware is around the server.
type ownUse struct {
	chi chi.Middlewares
	gin []gin.HandlerFunc
}

type ws = *middleware.Middleware

// A framework with wsecho in three places: outermost, around the handler that routes returns; as
// middleware of the framework; as the endpoint of a route. An impossible place is nil.
type framework struct {
	name       string
	writer     string // the type of its own ResponseWriter, if it has one
	routes     func() http.Handler
	middleware func(ws, ownUse) http.Handler
	endpoint   func(ws, ownUse) http.Handler
}

const (
	outermost    = "outermost"
	asMiddleware = "middleware"
	asEndpoint   = "endpoint"
)

func places() []string { return []string{outermost, asMiddleware, asEndpoint} }

// in returns the function that builds the server with wsecho in that place, or nil.
func (f framework) in(place string) func(ws, ownUse) http.Handler {
	switch place {
	case asMiddleware:
		return f.middleware
	case asEndpoint:
		return f.endpoint
	default:
		return func(ws ws, _ ownUse) http.Handler { return ws.Handler(f.routes()) }
	}
}

func frameworks() []framework {
	return []framework{
		{"net/http", "", muxRoutes, nil, func(ws ws, _ ownUse) http.Handler { return muxWith(ws) }},
		{"chi/v5", "", chiRoutes, chiMiddleware, chiEndpoint},
		{"gorilla/mux", "", gorillaRoutes, gorillaMiddleware, gorillaEndpoint},
		{"gin", "*gin.responseWriter", ginRoutes, ginMiddleware, ginEndpoint},
		{"echo/v4", "*echo.Response", echo4Routes, echo4Middleware, echo4Endpoint},
		{"echo/v5", "*echo.Response", echo5Routes, echo5Middleware, echo5Endpoint},
		{"negroni/v1", "*negroni.responseWriter", negroni1Routes, negroni1Middleware, negroni1Endpoint},
		{"negroni/v3", "*negroni.responseWriter", negroni3Routes, negroni3Middleware, negroni3Endpoint},
		{"httprouter", "", httprouterRoutes, nil, httprouterEndpoint},
		{"alice", "", aliceRoutes, aliceMiddleware, aliceEndpoint},
	}
}

func muxRoutes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /users", users)
	return m
}

func muxWith(ws ws) http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /users", users)
	m.Handle("/ws", ws)
	return m
}

func chiRoutes() http.Handler {
	r := chi.NewRouter()
	r.Get("/users", users)
	return r
}

func chiMiddleware(ws ws, own ownUse) http.Handler {
	r := chi.NewRouter()
	r.Use(own.chi...)
	r.Use(ws.Handler)
	r.Get("/users", users)
	return r
}

func chiEndpoint(ws ws, own ownUse) http.Handler {
	r := chi.NewRouter()
	r.Use(own.chi...)
	r.Get("/users", users)
	r.Handle("/ws", ws)
	return r
}

func gorillaRoutes() http.Handler {
	r := mux.NewRouter()
	r.HandleFunc("/users", users)
	return r
}

// The middleware of gorilla/mux runs only for requests that match a route, so /ws is a route.
func gorillaMiddleware(ws ws, _ ownUse) http.Handler {
	r := mux.NewRouter()
	r.Use(ws.Handler)
	r.HandleFunc("/users", users)
	r.Handle("/ws", http.NotFoundHandler())
	return r
}

func gorillaEndpoint(ws ws, _ ownUse) http.Handler {
	r := mux.NewRouter()
	r.HandleFunc("/users", users)
	r.Handle("/ws", ws)
	return r
}

func ginUsers(c *gin.Context) { c.String(http.StatusOK, resource) }

func ginRoutes() http.Handler {
	r := gin.New()
	r.GET("/users", ginUsers)
	return r
}

func ginMiddleware(ws ws, own ownUse) http.Handler {
	r := gin.New()
	r.Use(own.gin...)
	r.Use(wsgin.New(ws))
	r.GET("/users", ginUsers)
	return r
}

func ginEndpoint(ws ws, own ownUse) http.Handler {
	r := gin.New()
	r.Use(own.gin...)
	r.GET("/users", ginUsers)
	r.GET("/ws", gin.WrapH(ws))
	return r
}

func echo4Users(c echov4.Context) error { return c.String(http.StatusOK, resource) }

func echo4Routes() http.Handler {
	e := echov4.New()
	e.GET("/users", echo4Users)
	return e
}

func echo4Middleware(ws ws, _ ownUse) http.Handler {
	e := echov4.New()
	e.Use(echov4.WrapMiddleware(ws.Handler))
	e.GET("/users", echo4Users)
	return e
}

func echo4Endpoint(ws ws, _ ownUse) http.Handler {
	e := echov4.New()
	e.GET("/users", echo4Users)
	e.GET("/ws", echov4.WrapHandler(ws))
	return e
}

func echo5Users(c *echov5.Context) error { return c.String(http.StatusOK, resource) }

func echo5Routes() http.Handler {
	e := echov5.New()
	e.GET("/users", echo5Users)
	return e
}

func echo5Middleware(ws ws, _ ownUse) http.Handler {
	e := echov5.New()
	e.Use(echov5.WrapMiddleware(ws.Handler))
	e.GET("/users", echo5Users)
	return e
}

func echo5Endpoint(ws ws, _ ownUse) http.Handler {
	e := echov5.New()
	e.GET("/users", echo5Users)
	e.GET("/ws", echov5.WrapHandler(ws))
	return e
}

// negroni and alice have no routes: their last handler is a ServeMux.

func negroni1Routes() http.Handler {
	n := negroniv1.New()
	n.UseHandler(muxRoutes())
	return n
}

func negroni1Middleware(ws ws, _ ownUse) http.Handler {
	n := negroniv1.New()
	n.Use(wsnegroni.New(ws))
	n.UseHandler(muxRoutes())
	return n
}

func negroni1Endpoint(ws ws, _ ownUse) http.Handler {
	n := negroniv1.New()
	n.UseHandler(muxWith(ws))
	return n
}

func negroni3Routes() http.Handler {
	n := negroni.New()
	n.UseHandler(muxRoutes())
	return n
}

func negroni3Middleware(ws ws, _ ownUse) http.Handler {
	n := negroni.New()
	n.Use(wsnegroni.New(ws))
	n.UseHandler(muxRoutes())
	return n
}

func negroni3Endpoint(ws ws, _ ownUse) http.Handler {
	n := negroni.New()
	n.UseHandler(muxWith(ws))
	return n
}

func httprouterRoutes() http.Handler {
	r := httprouter.New()
	r.HandlerFunc(http.MethodGet, "/users", users)
	return r
}

func httprouterEndpoint(ws ws, _ ownUse) http.Handler {
	r := httprouter.New()
	r.HandlerFunc(http.MethodGet, "/users", users)
	r.Handler(http.MethodGet, "/ws", ws)
	return r
}

func aliceRoutes() http.Handler { return alice.New().Then(muxRoutes()) }

func aliceMiddleware(ws ws, _ ownUse) http.Handler {
	return alice.New(ws.Handler).Then(muxRoutes())
}

func aliceEndpoint(ws ws, _ ownUse) http.Handler { return alice.New().Then(muxWith(ws)) }
