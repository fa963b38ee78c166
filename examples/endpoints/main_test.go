package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/wsecho/middleware/wstest"
)

func TestMain(m *testing.M) { wstest.Main(m) }

func TestEndpoints(t *testing.T) {
	s := wstest.NewServer(t, newHandler(newEndpoints()))
	echo, upper := s.Dial("/echo"), s.Dial("/upper")
	echo.Send(wstest.Text("grüße"))
	upper.Send(wstest.Text("grüße"))
	echo.Want(wstest.Text("Hello from the server! You sent: grüße"))
	upper.Want(wstest.Text("GRÜßE"))
	if resp := s.Connect().Handshake("/other"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("/other: status %d, want 404", resp.StatusCode)
	}
}

// Each endpoint has its own limits.
func TestLimits(t *testing.T) {
	s := wstest.NewServer(t, newHandler(newEndpoints()))
	long := strings.Repeat("x", 1025)
	echo, upper := s.Dial("/echo"), s.Dial("/upper")
	echo.Send(wstest.Text(long))
	echo.Want(wstest.Text("Hello from the server! You sent: " + long))
	upper.Send(wstest.Text(long))
	upper.Want(wstest.Close(1009, "message larger than 1024 bytes"))
}

func TestBinaryIsRefused(t *testing.T) {
	c := wstest.NewServer(t, newHandler(newEndpoints())).Dial("/upper")
	c.Send(wstest.Frame{First: 0x82, Payload: "x"})
	c.Want(wstest.Close(1003, "send text"))
}

func TestPage(t *testing.T) {
	resp, err := wstest.NewServer(t, newHandler(newEndpoints())).Client().Get("http://example.com/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "an ordinary page\n" {
		t.Errorf("page: %d %q, %v", resp.StatusCode, body, err)
	}
}

// One shutdown closes the connections of both endpoints, and takes as long as the slower one.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		echo, upper := newEndpoints()
		s := wstest.NewServer(t, newHandler(echo, upper))
		a, b := s.Dial("/echo"), s.Dial("/upper")
		done := make(chan error, 1)
		go func() { done <- together(t.Context(), echo.Shutdown, upper.Shutdown) }()
		goingAway := wstest.Close(1001, "server is shutting down")
		for _, c := range []*wstest.Client{a, b} {
			c.Want(goingAway)
			c.Send(goingAway)
			_ = c.Conn().Close()
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, path := range []string{"/echo", "/upper"} {
			if got := s.Connect().Handshake(path).StatusCode; got != http.StatusServiceUnavailable {
				t.Errorf("%s: status %d after the shutdown, want 503", path, got)
			}
		}
	})
}

// The errors are those of all, and nobody waits for the others to begin.
func TestTogether(t *testing.T) {
	begun := make(chan struct{})
	first, second := errors.New("first"), errors.New("second")
	err := together(t.Context(),
		func(context.Context) error { <-begun; return first },
		func(context.Context) error { return nil },
		func(context.Context) error { close(begun); return second },
	)
	if !errors.Is(err, first) || !errors.Is(err, second) {
		t.Errorf("got %v, want both errors", err)
	}
}
