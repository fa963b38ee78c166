// Package interop_test tests wsecho with third-party servers and clients. It is a separate
// module, so that wsecho does not require them.
package interop_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/leak"
	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
)

// timeout bounds every wait.
const timeout = 10 * time.Second

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

// app is the application that the middleware is added to.
func app() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "respond with a resource")
	})
	return mux
}

// echo returns the middleware under test, which logs nothing.
func echo(opts middleware.Options) *middleware.Middleware {
	opts.Logger = slog.New(slog.DiscardHandler)
	return middleware.New(opts)
}

func serve(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// wsURL returns the URL of the endpoint.
func wsURL(s *httptest.Server) string {
	return strings.Replace(s.URL, "http", "ws", 1) + "/ws"
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := http.Client{Timeout: timeout}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// wantRefused sends a valid handshake that the server must refuse.
func wantRefused(t *testing.T, s *httptest.Server, status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	client := http.Client{Timeout: timeout}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != status { // The body of a 101 does not end.
		t.Fatalf("got %s, want %d", resp.Status, status)
	}
	if b, err := io.ReadAll(resp.Body); string(b) != body {
		t.Errorf("got %q, %v; want %q", b, err, body)
	}
}

// wantEcho opens a connection, exchanges one message, and closes it.
func wantEcho(t *testing.T, s *httptest.Server) {
	t.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: timeout}
	c, _, err := dialer.Dial(wsURL(s), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(timeout))
	if err := c.WriteMessage(websocket.TextMessage, []byte("Hello from the client")); err != nil {
		t.Fatal(err)
	}
	messageType, p, err := c.ReadMessage()
	const want = "Hello from the server! You sent: Hello from the client"
	if messageType != websocket.TextMessage || string(p) != want {
		t.Errorf("got message %d %q, %v; want text %q", messageType, p, err, want)
	}
	closeFrame := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := c.WriteMessage(websocket.CloseMessage, closeFrame); err != nil {
		t.Fatal(err)
	}
	var closed *websocket.CloseError
	if _, _, err := c.ReadMessage(); !errors.As(err, &closed) || closed.Code != 1000 {
		t.Errorf("after closing: %v, want close 1000", err)
	}
}

// logLines is a logger and a writer that sends each line to a channel.
type logLines chan string

func (l logLines) Println(v ...any)               { l <- fmt.Sprint(v...) }
func (l logLines) Printf(format string, v ...any) { l <- fmt.Sprintf(format, v...) }

func (l logLines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// want waits for the next line: a logger prints it after the handler behind it has returned.
func (l logLines) want(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-l:
		if got != want {
			t.Errorf("logged %q, want %q", got, want)
		}
	case <-time.After(timeout):
		t.Fatalf("logged nothing, want %q", want)
	}
}

func (l logLines) wantNone(t *testing.T) {
	t.Helper()
	select {
	case got := <-l:
		t.Errorf("logged %q", got)
	default:
	}
}
