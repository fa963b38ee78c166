package main

import (
	"io"
	"log"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
	"github.com/urfave/negroni/v3"
)

func TestMain(m *testing.M) { wstest.Main(m) }

func TestPipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged strings.Builder
		logger := negroni.NewLogger()
		logger.ALogger = log.New(&logged, "", 0)
		logger.SetFormat("{{.Status}} {{.Method}} {{.Path}}")
		ws := middleware.New(middleware.Options{})
		s := wstest.NewServer(t, newHandler(ws, logger))
		wantRoute(t, s)

		c := s.Dial("/ws")
		c.Send(wstest.Text("Hello from the client"))
		c.Want(wstest.Text("Hello from the server! You sent: Hello from the client"))
		ended := make(chan error, 1)
		go func() { ended <- shutdown(s.Config, ws) }()
		c.Want(wstest.Close(1001, "server is shutting down"))
		c.Send(wstest.Close(1001, ""))
		c.WantEnd()
		_ = c.Conn().Close()
		if err := <-ended; err != nil {
			t.Errorf("shutdown: %v", err)
		}
		synctest.Wait()
		if got, want := logged.String(), "200 GET /users\n101 GET /ws\n"; got != want {
			t.Errorf("logged %q, want %q", got, want)
		}
	})
}

func wantRoute(t *testing.T, s *wstest.Server) {
	t.Helper()
	resp, err := s.Client().Get("http://example.com/users")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK || string(body) != "respond with a resource" {
		t.Errorf("GET /users: %d %q, %v", resp.StatusCode, body, err)
	}
}
