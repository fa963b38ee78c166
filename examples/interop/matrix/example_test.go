package matrix_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	wsgin "example.com/wsecho/adapters/gin"
	"example.com/wsecho/middleware"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/mux"
	"github.com/gorilla/websocket"
	"github.com/julienschmidt/httprouter"
	"github.com/justinas/alice"
	echov4 "github.com/labstack/echo/v4"
	echov5 "github.com/labstack/echo/v5"
)

// ask sends a message and a request to the handler, and prints the replies.
func ask(h http.Handler) {
	server := httptest.NewServer(h)
	defer server.Close()
	address := strings.Replace(server.URL, "http", "ws", 1) + "/ws"
	client, _, err := websocket.DefaultDialer.Dial(address, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	_ = client.WriteMessage(websocket.TextMessage, []byte("hi"))
	_, reply, err := client.ReadMessage()
	fmt.Printf("%s, %v\n", reply, err)

	resp, err := http.Get(server.URL + "/users")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Printf("%s, %v\n", body, err)
}

// Around the whole mux.
func Example_serveMux() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users", users)
	ws := middleware.New(middleware.Options{Path: "/ws"})

	ask(ws.Handler(mux))
	// Output:
	// Hello from the server! You sent: hi, <nil>
	// respond with a resource, <nil>
}

// As a route, whose pattern can have a method and a host.
func Example_serveMuxRoute() {
	ws := middleware.New(middleware.Options{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users", users)
	mux.Handle("/ws", ws)

	ask(mux)
	// Output:
	// Hello from the server! You sent: hi, <nil>
	// respond with a resource, <nil>
}

// Behind recovery, in front of compression.
func Example_chi() {
	ws := middleware.New(middleware.Options{Path: "/ws"})
	r := chi.NewRouter()
	r.Use(chimiddleware.Recoverer, ws.Handler, chimiddleware.Compress(5))
	r.Get("/users", users)

	ask(r)
	// Output:
	// Hello from the server! You sent: hi, <nil>
	// respond with a resource, <nil>
}

// The middleware of gorilla/mux runs only if a route matches, so /ws is a route.
func Example_gorillaMux() {
	ws := middleware.New(middleware.Options{})
	r := mux.NewRouter()
	r.HandleFunc("/users", users)
	r.Handle("/ws", ws)

	ask(r)
	// Output:
	// Hello from the server! You sent: hi, <nil>
	// respond with a resource, <nil>
}

// With the adapter. If /ws serves only WebSockets, r.GET("/ws", gin.WrapH(ws)) works too.
func Example_gin() {
	ws := middleware.New(middleware.Options{Path: "/ws"})
	r := gin.New()
	r.Use(gin.Recovery(), wsgin.New(ws))
	r.GET("/users", func(c *gin.Context) { c.String(http.StatusOK, "respond with a resource") })

	ask(r)
	// Output:
	// Hello from the server! You sent: hi, <nil>
	// respond with a resource, <nil>
}

// In front of echo's Gzip. As a route, it is e.GET("/ws", echo.WrapHandler(ws)).
func Example_echo4() {
	ws := middleware.New(middleware.Options{Path: "/ws"})
	e := echov4.New()
	e.Use(echov4.WrapMiddleware(ws.Handler))
	e.GET("/users", func(c echov4.Context) error {
		return c.String(http.StatusOK, "respond with a resource")
	})

	ask(e)
	// Output:
	// Hello from the server! You sent: hi, <nil>
	// respond with a resource, <nil>
}

// In front of echo's Gzip. As a route, it is e.GET("/ws", echo.WrapHandler(ws)).
func Example_echo5() {
	ws := middleware.New(middleware.Options{Path: "/ws"})
	e := echov5.New()
	e.Use(echov5.WrapMiddleware(ws.Handler))
	e.GET("/users", func(c *echov5.Context) error {
		return c.String(http.StatusOK, "respond with a resource")
	})

	ask(e)
	// Output:
	// Hello from the server! You sent: hi, <nil>
	// respond with a resource, <nil>
}

// httprouter has no middleware: use a route, or ws.Handler(r) around it.
func Example_httprouter() {
	ws := middleware.New(middleware.Options{})
	r := httprouter.New()
	r.HandlerFunc(http.MethodGet, "/users", users)
	r.Handler(http.MethodGet, "/ws", ws)

	ask(r)
	// Output:
	// Hello from the server! You sent: hi, <nil>
	// respond with a resource, <nil>
}

// Behind logging and recovery, in front of compression and timeouts.
func Example_alice() {
	ws := middleware.New(middleware.Options{Path: "/ws"})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users", users)
	chain := alice.New(ws.Handler, timeoutHandler)

	ask(chain.Then(mux))
	// Output:
	// Hello from the server! You sent: hi, <nil>
	// respond with a resource, <nil>
}
