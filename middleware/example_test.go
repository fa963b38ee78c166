package middleware_test

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
)

// Wrap the handler that the server has: it keeps its routes, and gains a WebSocket endpoint.
func Example() {
	app := http.NewServeMux()
	app.HandleFunc("/users", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "respond with a resource")
	})

	ws := middleware.New(middleware.Options{Path: "/ws"})
	server := httptest.NewServer(ws.Handler(app)) // or http.ListenAndServe(":3000", …)
	defer server.Close()

	fmt.Println(ask(server, "/ws", "Hello from the client"))
	// Output: Hello from the server! You sent: Hello from the client
}

// ask is a client: it sends one message and returns the answer.
func ask(server *httptest.Server, path, message string) string {
	conn, _, err := websocket.DefaultDialer.Dial("ws"+server.URL[len("http"):]+path, nil)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = conn.Close() }()
	if err := conn.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		return err.Error()
	}
	_, answer, err := conn.ReadMessage()
	if err != nil {
		return err.Error()
	}
	return string(answer)
}

// A router that chooses by path takes the endpoint alone.
func ExampleMiddleware_ServeHTTP() {
	ws := middleware.New(middleware.Options{Handler: middleware.Echo("echo: ")})
	mux := http.NewServeMux()
	mux.Handle("/live/feed", ws)

	server := httptest.NewServer(mux)
	defer server.Close()
	fmt.Println(ask(server, "/live/feed", "hi"))
	// Output: echo: hi
}

// JSON in, JSON out. An error with a code of its own tells the client what was wrong.
func ExampleMessageFunc() {
	add := func(w io.Writer, m *middleware.Message) error {
		var numbers []float64
		if err := json.Unmarshal(m.Data, &numbers); err != nil {
			return &middleware.CloseError{
				Code: websocket.CloseUnsupportedData, Reason: "send a JSON array of numbers",
			}
		}
		sum := 0.0
		for _, n := range numbers {
			sum += n
		}
		return json.NewEncoder(w).Encode(map[string]float64{"sum": sum})
	}
	ws := middleware.New(middleware.Options{Handler: middleware.MessageFunc(add)})
	server := httptest.NewServer(ws)
	defer server.Close()

	fmt.Print(ask(server, "/", "[1, 2, 3.5]"))
	fmt.Println(ask(server, "/", "one"))
	// Output:
	// {"sum":6.5}
	// websocket: close 1003 (unsupported data): send a JSON array of numbers
}

// A handler that pushes: it writes until the client has left, while Discard reads.
func ExampleHandlerFunc() {
	clock := func(ctx context.Context, c *middleware.Conn) error {
		go func() { _ = c.Discard() }()
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case now := <-ticker.C:
				if err := c.WriteMessage(middleware.TextMessage, now.AppendFormat(nil, "2006")); err != nil {
					return err
				}
			}
		}
	}
	ws := middleware.New(middleware.Options{Handler: middleware.HandlerFunc(clock)})
	server := httptest.NewServer(ws)
	defer server.Close()
	fmt.Println(len(ask(server, "/", "what year is it?")))
	// Output: 4
}

// A message handler that needs the connection, here for who is asking, closes over it: a
// MessageFunc is a Handler too.
func ExampleConn_Request() {
	greet := func(ctx context.Context, c *middleware.Conn) error {
		user := c.Request().URL.Query().Get("user")
		return middleware.MessageFunc(func(w io.Writer, m *middleware.Message) error {
			_, err := fmt.Fprintf(w, "%s, you sent %q", user, m.Data)
			return err
		}).ServeConn(ctx, c)
	}
	ws := middleware.New(middleware.Options{Handler: middleware.HandlerFunc(greet)})
	server := httptest.NewServer(ws)
	defer server.Close()
	fmt.Println(ask(server, "/?user=Ada", "hi"))
	// Output: Ada, you sent "hi"
}

// Authentication goes in front, as for any other handler: what it refuses is no WebSocket yet,
// and gets a status.
func ExampleMiddleware_Handler_authentication() {
	authenticate := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token := r.Header.Get("Authorization")
			if subtle.ConstantTimeCompare([]byte(token), []byte("Bearer secret")) != 1 {
				http.Error(w, "who are you?", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	ws := middleware.New(middleware.Options{})
	server := httptest.NewServer(authenticate(ws.Handler(http.NotFoundHandler())))
	defer server.Close()
	fmt.Println(ask(server, "/ws", "hi"))
	// Output: websocket: bad handshake
}

// http.Server forgets hijacked connections, so both are shut down, at the same time.
func ExampleMiddleware_Shutdown() {
	ws := middleware.New(middleware.Options{})
	server := &http.Server{
		Addr: "localhost:0", Handler: ws.Handler(http.NotFoundHandler()),
		ReadHeaderTimeout: 5 * time.Second,
	}
	go func() {
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			log.Print(err)
		}
	}()

	// On SIGTERM:
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- ws.Shutdown(ctx) }()
	fmt.Println(errors.Join(server.Shutdown(ctx), <-drained))
	// Output: <nil>
}
