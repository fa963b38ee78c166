//go:build linux

package proxies_test

import (
	"io"
	"testing"

	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
)

// A handshake beyond MaxConns gets the server's 503, and a later one is accepted.
func TestFull(t *testing.T) { each(t, testFull) }

func testFull(t *testing.T, k *kind) {
	s := serve(t, middleware.Options{MaxConns: 1})
	p := k.start(t, s.address)
	first := p.dial(t)
	wantFull(t, p)
	wantClosed(t, first)
	s.log.Want(t, `msg="WebSocket closed"`)
	wantEcho(t, p.dial(t))
}

// A handshake that a full server refuses is retried on another one. If all are full, clients get
// the 503, and other requests are still served.
func TestRetry(t *testing.T) { each(t, testRetry) }

func testRetry(t *testing.T, k *kind) {
	if k.second == nil {
		t.Skip("it passes the 503 on")
	}
	one, two := serve(t, middleware.Options{MaxConns: 1}), serve(t, middleware.Options{MaxConns: 2})
	c, _, err := websocket.DefaultDialer.Dial("ws://"+one.address+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p := k.start(t, one.address, k.second(two.address))
	for range 2 { // Servers take turns.
		wantEcho(t, p.dial(t))
	}
	one.log.Want(t, "status=503")
	for range 4 {
		wantFull(t, p)
		testRoute(t, p, "/", "404 Not Found", "404 page not found")
	}
}

// wantFull sends a handshake, which must get the server's 503.
func wantFull(t *testing.T, p *proxy) {
	t.Helper()
	_, resp, err := p.dialer().Dial("ws://"+p.http+"/ws", nil)
	if err != websocket.ErrBadHandshake {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	if after := resp.Header.Get("Retry-After"); resp.StatusCode != 503 || after != "1" {
		t.Errorf("got %s, Retry-After %q, %q; want 503, 1", resp.Status, after, body)
	}
}

// wantClosed closes the connection.
func wantClosed(t *testing.T, c *websocket.Conn) {
	t.Helper()
	closeFrame := websocket.FormatCloseMessage(1000, "")
	if err := c.WriteMessage(websocket.CloseMessage, closeFrame); err != nil {
		t.Fatal(err)
	}
	wantClose(t, c, 1000, "")
}

func wantEcho(t *testing.T, c *websocket.Conn) {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	_, got, err := c.ReadMessage()
	if want := "Hello from the server! You sent: hello"; string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}
