package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
	"github.com/urfave/negroni/v3"
)

// timeout bounds every wait.
const timeout = 10 * time.Second

// logLines is a [negroni.ALogger] that sends each line to a channel.
type logLines chan string

func (l logLines) Println(v ...any)               { l <- fmt.Sprint(v...) }
func (l logLines) Printf(format string, v ...any) { l <- fmt.Sprintf(format, v...) }

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

func TestPipeline(t *testing.T) {
	lines := make(logLines, 16)
	logger := negroni.NewLogger()
	logger.ALogger = lines
	logger.SetFormat("{{.Status}} {{.Method}} {{.Path}}")
	ws := middleware.New(middleware.Options{})
	s := httptest.NewServer(newHandler(ws, logger))
	defer s.Close()

	wantRoute(t, s)
	lines.want(t, "200 GET /users")

	dialer := websocket.Dialer{HandshakeTimeout: timeout}
	c, _, err := dialer.Dial("ws"+s.URL[len("http"):]+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(timeout))
	if err := c.WriteMessage(websocket.TextMessage, []byte("Hello from the client")); err != nil {
		t.Fatal(err)
	}
	_, p, err := c.ReadMessage()
	if string(p) != "Hello from the server! You sent: Hello from the client" {
		t.Errorf("echo: %q, %v", p, err)
	}

	ended := make(chan error, 1)
	go func() { ended <- shutdown(s.Config, ws) }()
	var closed *websocket.CloseError
	if _, _, err := c.ReadMessage(); !errors.As(err, &closed) || closed.Code != 1001 {
		t.Errorf("after shutdown: %v, want close 1001", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	lines.want(t, "101 GET /ws")
}

func wantRoute(t *testing.T, s *httptest.Server) {
	t.Helper()
	client := http.Client{Timeout: timeout, Transport: s.Client().Transport}
	resp, err := client.Get(s.URL + "/users")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK || string(body) != "respond with a resource" {
		t.Errorf("GET /users: %d %q, %v", resp.StatusCode, body, err)
	}
}
