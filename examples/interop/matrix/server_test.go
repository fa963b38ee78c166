package matrix_test

import (
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// log is a logger and a writer that sends each line to a channel.
type log chan string

// want takes the next line, which has been written already.
func (l log) want(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-l:
		if got != want {
			t.Errorf("logged %q, want %q", got, want)
		}
	default:
		t.Errorf("logged nothing, want %q", want)
	}
}

// wantPrefix waits for a line that begins with want.
func (l log) wantPrefix(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-l:
		if !strings.HasPrefix(got, want) {
			t.Errorf("logged %q, want %q", got, want)
		}
	case <-time.After(timeout):
		t.Errorf("logged nothing, want %q", want)
	}
}

func (l log) wantNone(t *testing.T) {
	t.Helper()
	select {
	case got := <-l:
		t.Errorf("logged %q", got)
	default:
	}
}

func newLog() log { return make(log, 64) }

func (l log) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func (l log) Println(v ...any) { l <- fmt.Sprint(v...) }

func (l log) request(status int, r *http.Request) {
	l <- fmt.Sprintf("%d %s %s", status, r.Method, r.URL.Path)
}

// server is an HTTP server that reports what it does.
type server struct {
	*httptest.Server
	returned chan struct{} // receives one value for each request handled
	errors   log           // what net/http logs, such as writes to a hijacked connection
}

func serve(t *testing.T, h http.Handler) *server {
	t.Helper()
	returned, errors := make(chan struct{}, 16), newLog()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { returned <- struct{}{} }()
		h.ServeHTTP(w, r)
	}))
	s.Config.ErrorLog = stdlog.New(errors, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return &server{s, returned, errors}
}

func (s *server) wantReturned(t *testing.T) {
	t.Helper()
	select {
	case <-s.returned:
	case <-time.After(timeout):
		t.Fatal("the handler has not returned")
	}
}

// wantQuiet closes the server and wants no logged errors.
func (s *server) wantQuiet(t *testing.T) {
	t.Helper()
	s.Close()
	s.errors.wantNone(t)
}

// wantUsers requests a route of the framework.
func (s *server) wantUsers(t *testing.T) {
	t.Helper()
	client := http.Client{Timeout: timeout, Transport: s.Client().Transport}
	resp, err := client.Get(s.URL + "/users")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || string(body) != "respond with a resource" {
		t.Errorf("GET /users: %s %q, %v", resp.Status, body, err)
	}
}

// dial sends the handshake of a browser, which accepts compressed responses.
func (s *server) dial() (*websocket.Conn, *http.Response, error) {
	dialer := websocket.Dialer{HandshakeTimeout: timeout}
	h := http.Header{"Accept-Encoding": {"gzip, deflate, br, zstd"}}
	c, resp, err := dialer.Dial(strings.Replace(s.URL, "http", "ws", 1)+"/ws", h)
	if err != nil {
		return nil, resp, err
	}
	_ = c.SetReadDeadline(time.Now().Add(timeout))
	return c, resp, nil
}

// wantEcho opens a connection, exchanges one message, and closes it.
func (s *server) wantEcho(t *testing.T) {
	t.Helper()
	c, _, err := s.dial()
	if err != nil {
		t.Fatalf("handshake: %v", err)
	}
	defer c.Close()
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

// wantRefused sends a valid handshake that cannot be served through a writer of that type.
func (s *server) wantRefused(t *testing.T, writer string) {
	t.Helper()
	c, resp, err := s.dial()
	if err == nil {
		c.Close()
		t.Fatal("the handshake was accepted")
	}
	if resp == nil || resp.StatusCode != http.StatusInternalServerError {
		t.Fatalf("got %v, %v; want 500", resp, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	want := "the connection cannot be hijacked through a " + writer + ": put the WebSocket " +
		"middleware outside of whatever made it, or give it an Unwrap method\n"
	if string(body) != want {
		t.Errorf("got %q, %v; want %q", body, err, want)
	}
}
