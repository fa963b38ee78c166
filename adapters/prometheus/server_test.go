package wsprometheus_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	wsprometheus "example.com/wsecho/adapters/prometheus"
	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// server is an endpoint with metrics.
type server struct {
	*httptest.Server
	ws      *middleware.Middleware
	metrics *wsprometheus.Metrics
}

func serve(t *testing.T, opts middleware.Options) *server {
	t.Helper()
	m := wsprometheus.New()
	opts.Hooks = m.Hooks()
	opts.Logger = slog.New(slog.DiscardHandler)
	ws := middleware.New(opts)
	s := &server{httptest.NewServer(ws), ws, m}
	t.Cleanup(s.Close)
	return s
}

// shutdown waits until all connections are closed and counted.
func (s *server) shutdown(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	if err := s.ws.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
}

func dial(t testing.TB, s *httptest.Server) *websocket.Conn {
	t.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: timeout}
	c, _, err := dialer.Dial("ws"+strings.TrimPrefix(s.URL, "http")+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(timeout))
	return c
}

func wantEcho(t *testing.T, c *websocket.Conn, kind int, message string) {
	t.Helper()
	if err := c.WriteMessage(kind, []byte(message)); err != nil {
		t.Fatal(err)
	}
	gotKind, p, err := c.ReadMessage()
	const greeting = "Hello from the server! You sent: "
	if gotKind != kind || string(p) != greeting+message {
		t.Fatalf("got message %d %q, %v", gotKind, p, err)
	}
}

// closeConn sends a close frame with code and wants one with the code answer.
func closeConn(t *testing.T, c *websocket.Conn, code, answer int) {
	t.Helper()
	payload := string([]byte{byte(code >> 8), byte(code)})
	if err := c.WriteMessage(websocket.CloseMessage, []byte(payload)); err != nil {
		t.Fatal(err)
	}
	var closed *websocket.CloseError
	if _, _, err := c.ReadMessage(); !errors.As(err, &closed) || closed.Code != answer {
		t.Fatalf("closed with %d: got %v, want close %d", code, err, answer)
	}
	_ = c.Close() // The server waits for a client whose close frame was invalid.
}

func TestConnection(t *testing.T) {
	s := serve(t, middleware.Options{Compression: true})
	c := dial(t, s.Server)
	wantEcho(t, c, websocket.TextMessage, "héllo")
	wantEcho(t, c, websocket.TextMessage, strings.Repeat("a", 1000))
	wantEcho(t, c, websocket.BinaryMessage, "\x00\xff")
	const open = `
# HELP websocket_connections_open WebSocket connections that are open.
# TYPE websocket_connections_open gauge
websocket_connections_open `
	want(t, s.metrics, open+"1\n", "websocket_connections_open")

	closeConn(t, c, 1000, 1000)
	s.shutdown(t)
	want(t, s.metrics, open+"0\n", "websocket_connections_open")
	want(t, s.metrics, readFile(t, "testdata/connection.txt"),
		"websocket_messages_total", "websocket_message_bytes_total",
		"websocket_closes_total", "websocket_handshakes_total",
		"websocket_ends_total", "websocket_refusals_total")
}

func TestRefused(t *testing.T) {
	s := serve(t, middleware.Options{MaxConns: 1})
	c := dial(t, s.Server) // takes the only slot
	for _, test := range []struct {
		method, header, value string
		status                int
	}{
		{"GET", "Accept", "*/*", 503},
		{"GET", "Origin", "https://evil.example", 403},
		{"GET", "Origin", "https://more.evil.example", 403},
		{"GET", "Sec-Websocket-Version", "8", 426},
		{"GET", "Sec-Websocket-Key", "short", 400},
		{"PUT", "Accept", "*/*", 405},
	} {
		r, err := http.NewRequestWithContext(t.Context(), test.method, s.URL+"/ws", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{
			"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
			"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
		}
		r.Header.Set(test.header, test.value)
		resp, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != test.status {
			t.Errorf("%s, %s %q: got %s, want %d",
				test.method, test.header, test.value, resp.Status, test.status)
		}
	}
	want(t, s.metrics, readFile(t, "testdata/refused.txt"),
		"websocket_handshakes_total", "websocket_refusals_total")
	closeConn(t, c, 1000, 1000)
}

// Clients cannot create series with close codes.
func TestHostileCodes(t *testing.T) {
	s := serve(t, middleware.Options{})
	for _, test := range []struct{ code, answer int }{
		{3000, 3000},
		{3001, 3001},
		{3999, 3999},
		{4000, 4000},
		{4999, 4999},
		{1001, 1001},
		{1013, 1013},
		{1004, 1002},
		{1006, 1002},
		{1015, 1002},
		{2999, 1002},
		{5000, 1002},
		{65535, 1002},
	} {
		closeConn(t, dial(t, s.Server), test.code, test.answer)
	}
	s.shutdown(t)
	want(t, s.metrics, readFile(t, "testdata/codes.txt"), "websocket_closes_total")
}

// A handler that fails, and a client that sends no close frame.
func TestFailures(t *testing.T) {
	s := serve(t, middleware.Options{
		Handler: middleware.MessageFunc(func(io.Writer, *middleware.Message) error {
			return errors.New("no disk")
		}),
	})
	c := dial(t, s.Server)
	if err := c.WriteMessage(websocket.TextMessage, []byte("x")); err != nil {
		t.Fatal(err)
	}
	var closed *websocket.CloseError
	if _, _, err := c.ReadMessage(); !errors.As(err, &closed) || closed.Code != 1011 {
		t.Fatalf("got %v, want close 1011", err)
	}
	gone := dial(t, s.Server)
	_ = gone.NetConn().Close()
	s.shutdown(t)
	want(t, s.metrics, readFile(t, "testdata/failures.txt"),
		"websocket_closes_total", "websocket_ends_total")
}

// The two reasons of a 503 are told apart, by what the middleware says.
func TestRefusedInShutdownOrPerClient(t *testing.T) {
	s := serve(t, middleware.Options{MaxConnsPerClient: 1})
	refused := func(status int) {
		t.Helper()
		dialer := websocket.Dialer{HandshakeTimeout: timeout}
		_, resp, _ := dialer.Dial("ws"+strings.TrimPrefix(s.URL, "http")+"/ws", nil)
		if resp == nil || resp.StatusCode != status {
			t.Errorf("got %v, want %d", resp, status)
		}
	}
	c := dial(t, s.Server)
	refused(429)
	closeConn(t, c, 1000, 1000)
	s.shutdown(t)
	refused(503)
	for _, line := range []string{
		`websocket_refusals_total{reason="client limit"} 1`,
		`websocket_refusals_total{reason="shutdown"} 1`,
		`websocket_refusals_total{reason="limit"} 0`,
	} {
		if !strings.Contains(exposition(t, s.metrics), line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

func TestRoundTrips(t *testing.T) {
	s := serve(t, middleware.Options{PingInterval: 10 * time.Millisecond})
	c := dial(t, s.Server)
	pinged := make(chan int, 1000)
	c.SetPingHandler(func(payload string) error {
		pinged <- len(payload)
		return c.WriteControl(websocket.PongMessage, []byte(payload), time.Now().Add(timeout))
	})
	go func() { _, _, _ = c.ReadMessage() }()
	if got := <-pinged; got != 8 {
		t.Errorf("a ping with %d bytes", got)
	}
	for range 3 {
		<-pinged // so two at least have been answered
	}
	s.shutdown(t)
	if strings.Contains(exposition(t, s.metrics), "websocket_ping_round_trip_seconds_count 0\n") {
		t.Error("no round trip")
	}
}

// exposition returns the metrics as Prometheus scrapes them.
func exposition(t *testing.T, c prometheus.Collector) string {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	return w.Body.String()
}
