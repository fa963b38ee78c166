package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/wsecho/examples/internal/wstest"
	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
)

func TestMain(m *testing.M) { wstest.Main(m) }

func TestShutdown(t *testing.T) {
	ws := middleware.New(middleware.Options{})
	s := httptest.NewServer(ws.Handler(http.NotFoundHandler()))
	defer s.Close()
	c := wstest.Dial(t, s.URL+"/ws", nil)
	c.Send("hi")
	c.Want("Hello from the server! You sent: hi")
	ended := make(chan error, 1)
	go func() { ended <- shutdown(s.Config, ws, wstest.Timeout) }()
	c.WantClose(websocket.CloseGoingAway, "server is shutting down")
	if err := <-ended; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// A request that hangs does not keep the WebSockets from being closed in time, nor a handler that
// hangs the requests from being finished.
func TestHangingHalf(t *testing.T) {
	began, release := make(chan struct{}), make(chan struct{})
	ws := middleware.New(middleware.Options{})
	s := httptest.NewServer(ws.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(began)
		<-release
	})))
	defer s.Close()
	defer close(release)
	go func() {
		if resp, err := http.Get(s.URL + "/slow"); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-began
	c := wstest.Dial(t, s.URL+"/ws", nil)
	ended := make(chan error, 1)
	const limit = time.Second
	start := time.Now()
	go func() { ended <- shutdown(s.Config, ws, limit) }()
	c.WantClose(websocket.CloseGoingAway, "server is shutting down")
	if got := time.Since(start); got >= limit {
		t.Errorf("closed after %v", got)
	}
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v, want the request to be cut", err)
	}
}
