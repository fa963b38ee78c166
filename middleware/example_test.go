package middleware_test

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
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
	return askWith(server, path, message, nil)
}

func askWith(server *httptest.Server, path, message string, header http.Header) string {
	conn, _, err := websocket.DefaultDialer.Dial("ws"+server.URL[len("http"):]+path, header)
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

// A message handler that needs the request, here for a cookie that says who is asking, closes over
// what it needs. A code from 4000 on tells a page what to do about it, which the status of a refused
// handshake does not: browsers keep that to themselves.
func ExamplePerConn() {
	users := map[string]string{"c0ffee": "Ada"}
	greet := func(_ context.Context, c *middleware.Conn) (middleware.MessageFunc, error) {
		session, err := c.Request().Cookie("session")
		if err != nil || users[session.Value] == "" {
			return nil, &middleware.CloseError{Code: 4401, Reason: "log in first"}
		}
		user := users[session.Value]
		return func(w io.Writer, m *middleware.Message) error {
			_, err := fmt.Fprintf(w, "%s, you sent %q", user, m.Data)
			return err
		}, nil
	}
	ws := middleware.New(middleware.Options{Handler: middleware.PerConn(greet)})
	server := httptest.NewServer(ws)
	defer server.Close()
	fmt.Println(ask(server, "/", "hi"))
	fmt.Println(askWith(server, "/", "hi", http.Header{"Cookie": {"session=c0ffee"}}))
	// Output:
	// websocket: close 4401: log in first
	// Ada, you sent "hi"
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
	fmt.Println(askWith(server, "/ws", "hi", http.Header{"Authorization": {"Bearer secret"}}))
	// Output:
	// websocket: bad handshake
	// Hello from the server! You sent: hi
}

// A pitfall: what buffers responses, as http.TimeoutHandler, hides the connection, and the
// handshake is refused with 500. It belongs inside, around the application alone.
func ExampleMiddleware_Handler_pitfall() {
	app := http.NotFoundHandler()
	ws := middleware.New(middleware.Options{Logger: slog.New(slog.DiscardHandler)})
	wrong := http.TimeoutHandler(ws.Handler(app), time.Second, "too slow")
	right := ws.Handler(http.TimeoutHandler(app, time.Second, "too slow"))
	for _, h := range []http.Handler{wrong, right} {
		server := httptest.NewServer(h)
		fmt.Println(ask(server, "/ws", "hi"))
		server.Close()
	}
	// Output:
	// websocket: bad handshake
	// Hello from the server! You sent: hi
}

// Hooks are for metrics; adapters/prometheus has them ready.
func ExampleHooks() {
	done := make(chan struct{})
	ws := middleware.New(middleware.Options{Hooks: middleware.Hooks{
		Received: func(_ *middleware.Conn, t middleware.MessageType, size int64) {
			fmt.Println("received", t, size)
		},
		Closed: func(_ *middleware.Conn, info middleware.CloseInfo) {
			fmt.Println("closed", info.Code, "after", info.Sent, "bytes sent")
			close(done)
		},
	}})
	server := httptest.NewServer(ws)
	defer server.Close()
	ask(server, "/", "hi")
	<-done
	// Output:
	// received text 2
	// closed 1006 after 35 bytes sent
}

// Behind exactly one proxy, the last entry of X-Forwarded-For is the address that it was called from.
// What is before that, the client may have made up.
func ExampleOptions_behindProxy() {
	ws := middleware.New(middleware.Options{
		MaxConnsPerClient: 1,
		Client: func(r *http.Request) string {
			hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
			return strings.TrimSpace(hops[len(hops)-1]) // "" without the header
		},
	})
	server := httptest.NewServer(ws)
	defer server.Close()

	for _, forwardedFor := range []string{
		"192.0.2.1",
		"192.0.2.2",
		"203.0.113.7, 192.0.2.1", // the first one again, with a lie
	} {
		header := http.Header{"X-Forwarded-For": {forwardedFor}}
		c, resp, err := websocket.DefaultDialer.Dial("ws"+server.URL[len("http"):], header)
		fmt.Println(resp.StatusCode)
		if err == nil {
			defer c.Close()
		}
	}
	// Output:
	// 101
	// 101
	// 429
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
