package main

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
)

func TestMain(m *testing.M) { wstest.Main(m) }

var goingAway = wstest.Close(1001, "server is shutting down")

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws := middleware.New(middleware.Options{})
		s := wstest.NewServer(t, ws.Handler(http.NotFoundHandler()))
		c := s.Dial("/ws")
		c.Send(wstest.Text("hi"))
		c.Want(wstest.Text("Hello from the server! You sent: hi"))
		ended := make(chan error, 1)
		go func() { ended <- shutdown(s.Config, ws, time.Second) }()
		c.Want(goingAway)
		c.Send(goingAway)
		c.WantEnd()
		_ = c.Conn().Close()
		if err := <-ended; err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
}

// A request that hangs does not keep the WebSockets from being closed in time, nor a handler that
// hangs the requests from being finished.
func TestHangingHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, release := make(chan struct{}), make(chan struct{})
		ws := middleware.New(middleware.Options{})
		s := wstest.NewServer(t, ws.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			close(began)
			<-release
		})))
		defer close(release)
		client := s.Client()
		go func() {
			if resp, err := client.Get("http://example.com/slow"); err == nil {
				_ = resp.Body.Close()
			}
		}()
		<-began
		c := s.Dial("/ws")
		ended := make(chan error, 1)
		const limit = time.Second
		start := time.Now()
		go func() { ended <- shutdown(s.Config, ws, limit) }()
		c.Want(goingAway)
		if got := time.Since(start); got >= limit {
			t.Errorf("closed after %v", got)
		}
		if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("shutdown: %v, want the request to be cut", err)
		}
		if got := time.Since(start); got != limit {
			t.Errorf("ended after %v, want %v", got, limit)
		}
	})
}
