package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/wsecho/examples/internal/wstest"
	"github.com/gorilla/websocket"
)

func TestMain(m *testing.M) { wstest.Main(m) }

func TestEndpoints(t *testing.T) {
	url := wstest.Serve(t, newHandler(newEndpoints()))
	echo := wstest.Dial(t, url+"/echo", nil)
	upper := wstest.Dial(t, url+"/upper", nil)
	echo.Send("grüße")
	upper.Send("grüße")
	echo.Want("Hello from the server! You sent: grüße")
	upper.Want("GRÜßE")
	wstest.WantStatus(t, url+"/other", nil, http.StatusNotFound)
}

// Each endpoint has its own limits.
func TestLimits(t *testing.T) {
	url := wstest.Serve(t, newHandler(newEndpoints()))
	long := strings.Repeat("x", 1025)
	echo := wstest.Dial(t, url+"/echo", nil)
	echo.Send(long)
	echo.Want("Hello from the server! You sent: " + long)
	upper := wstest.Dial(t, url+"/upper", nil)
	upper.Send(long)
	upper.WantClose(websocket.CloseMessageTooBig, "message larger than 1024 bytes")
}

func TestBinaryIsRefused(t *testing.T) {
	c := wstest.Dial(t, wstest.Serve(t, newHandler(newEndpoints()))+"/upper", nil)
	if err := c.WriteMessage(websocket.BinaryMessage, []byte("x")); err != nil {
		t.Fatal(err)
	}
	c.WantClose(websocket.CloseUnsupportedData, "send text")
}

func TestPage(t *testing.T) {
	client := http.Client{Timeout: wstest.Timeout}
	resp, err := client.Get(wstest.Serve(t, newHandler(newEndpoints())) + "/")
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
	echo, upper := newEndpoints()
	url := wstest.Serve(t, newHandler(echo, upper))
	a, b := wstest.Dial(t, url+"/echo", nil), wstest.Dial(t, url+"/upper", nil)
	a.Send("a")
	a.Want("Hello from the server! You sent: a")
	b.Send("b")
	b.Want("B")
	ctx, cancel := context.WithTimeout(t.Context(), wstest.Timeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- together(ctx, echo.Shutdown, upper.Shutdown) }()
	for _, c := range []*wstest.Client{a, b} {
		c.WantClose(websocket.CloseGoingAway, "server is shutting down")
		_ = c.Close()
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	for _, path := range []string{"/echo", "/upper"} {
		wstest.WantStatus(t, url+path, nil, http.StatusServiceUnavailable)
	}
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
