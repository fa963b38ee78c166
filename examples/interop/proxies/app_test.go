//go:build linux

package proxies_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
	"github.com/gorilla/websocket"
)

func TestApp(t *testing.T) { each(t, testApp) }

// testApp runs examples/app behind the proxy.
func testApp(t *testing.T, k *kind) {
	app := program.StartApp(t)
	u, err := url.Parse(app.Web)
	if err != nil {
		t.Fatal(err)
	}
	p := k.start(t, u.Host)
	t.Run("routes", func(t *testing.T) { testRoutes(t, p) })
	t.Run("messages", func(t *testing.T) { testMessages(t, p) })
	t.Run("client closes", func(t *testing.T) { testClientCloses(t, p) })
	t.Run("server closes", func(t *testing.T) { testServerCloses(t, p) })
	t.Run("inspector", func(t *testing.T) { testInspector(t, p) })
	t.Run("many connections", func(t *testing.T) { testManyConnections(t, p) })
	t.Run("drain", func(t *testing.T) { testDrain(t, app, p) })
}

func testRoutes(t *testing.T, p *proxy) {
	for _, test := range []struct {
		path, status, contains string
	}{
		{"/users", "200 OK", "respond with a resource"},
		{"/", "200 OK", "<!DOCTYPE html>"},
		{"/javascripts/socket.js", "200 OK", "new WebSocket("},
		{"/ws", "404 Not Found", "There is nothing at this address (404)."},
	} {
		testRoute(t, p, test.path, test.status, test.contains)
	}
}

func testRoute(t *testing.T, p *proxy, path, status, contains string) {
	t.Helper()
	client := http.Client{Timeout: program.Patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + p.http + path)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.Status != status || !strings.Contains(string(body), contains) {
		t.Errorf("GET %s: %s %q, %v; want %s with %q", path, resp.Status, body, err, status, contains)
	}
}

func testMessages(t *testing.T, p *proxy) {
	const greeting = "Hello from the server! You sent: "
	c := p.dial(t)
	for _, test := range []struct {
		messageType int
		sent, want  string
	}{
		{websocket.TextMessage, "Hello from the client", greeting + "Hello from the client"},
		{websocket.TextMessage, "grüße, 世界 🌍", greeting + "grüße, 世界 🌍"},
		{websocket.TextMessage, "", greeting},
		{websocket.BinaryMessage, "\x00\xff\xfe", greeting + "\x00\xff\xfe"},
		{websocket.BinaryMessage, strings.Repeat("\xa5", 1<<20), greeting + strings.Repeat("\xa5", 1<<20)},
	} {
		if err := c.WriteMessage(test.messageType, []byte(test.sent)); err != nil {
			t.Fatal(err)
		}
		messageType, got, err := c.ReadMessage()
		if err != nil || messageType != test.messageType || string(got) != test.want {
			t.Fatalf("sent %.40q: got type %d %.80q, %v; want type %d %.80q",
				test.sent, messageType, got, err, test.messageType, test.want)
		}
	}
}

func testClientCloses(t *testing.T, p *proxy) {
	c := p.dial(t)
	closeFrame := websocket.FormatCloseMessage(4321, "my own reason")
	if err := c.WriteMessage(websocket.CloseMessage, closeFrame); err != nil {
		t.Fatal(err)
	}
	wantClose(t, c, 4321, "my own reason")
}

func testServerCloses(t *testing.T, p *proxy) {
	c := p.dial(t)
	if err := c.WriteMessage(websocket.BinaryMessage, make([]byte, 1<<20+1)); err != nil {
		t.Fatal(err)
	}
	wantClose(t, c, 1009, "message larger than 1048576 bytes")
}

// wantClose reads until the connection is closed.
func wantClose(t *testing.T, c *websocket.Conn, code int, reason string) {
	t.Helper()
	var closed *websocket.CloseError
	if _, p, err := c.ReadMessage(); !errors.As(err, &closed) {
		t.Errorf("got %q, %v; want close %d", p, err, code)
	} else if closed.Code != code || closed.Text != reason {
		t.Errorf("closed with %d %q, want %d %q", closed.Code, closed.Text, code, reason)
	}
}

// All connections are open before the first one sends.
func testManyConnections(t *testing.T, p *proxy) {
	const n = 50
	conns := make([]*websocket.Conn, n)
	for i := range conns {
		conns[i] = p.dial(t)
	}
	errs := make(chan error, n)
	for i, c := range conns {
		go func() { errs <- exchange(c, fmt.Sprintf("connection %d", i)) }()
	}
	for range conns {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// exchange sends messages with the name, of different lengths, and checks their echoes.
func exchange(c *websocket.Conn, name string) error {
	for i := range 20 {
		sent := []byte(name + strings.Repeat(" again", i*i))
		if err := c.WriteMessage(websocket.TextMessage, sent); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		_, got, err := c.ReadMessage()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		rest, ok := bytes.CutPrefix(got, []byte("Hello from the server! You sent: "))
		if !ok || !bytes.Equal(rest, sent) {
			return fmt.Errorf("%s: sent %.80q, got %.80q", name, sent, got)
		}
	}
	return nil
}

func testDrain(t *testing.T, app *program.App, p *proxy) {
	c := p.dial(t)
	app.Terminate()
	wantClose(t, c, 1001, "server is shutting down")
	app.Wait()
}
