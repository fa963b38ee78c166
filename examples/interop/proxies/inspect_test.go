//go:build linux

package proxies_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/program"
	"github.com/gorilla/websocket"
)

// testInspector asks the app's inspector what has arrived through the proxy.
func testInspector(t *testing.T, p *proxy) {
	header := http.Header{"Authorization": {"Bearer secret"}, "X-Own": {"kept"}}
	c, resp, err := p.dialer().Dial("ws://"+p.http+"/ws/inspect?size=2KiB&close=4000@1", header)
	if err != nil {
		t.Fatal(err, resp)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetReadDeadline(time.Now().Add(program.Patience))
	var first struct {
		Event   string
		Request struct {
			Method, Path, Query, Host string
			Headers                   http.Header
		}
		Negotiated struct{ HTTPVersion string }
	}
	readJSON(t, c, &first)
	r := first.Request
	if first.Event != "handshake" || r.Method != "GET" || r.Path != "/ws/inspect" ||
		r.Query != "size=2KiB&close=4000@1" || r.Host != p.http || first.Negotiated.HTTPVersion != "1.1" {
		t.Errorf("got %+v", first)
	}
	if got := r.Headers.Get("X-Own"); got != "kept" {
		t.Errorf("X-Own %q", got)
	}
	if got := r.Headers.Get("Authorization"); got == "" || got == "Bearer secret" {
		t.Errorf("Authorization %q, want it masked", got)
	}
	if err := c.WriteMessage(websocket.TextMessage, []byte("hi")); err != nil {
		t.Fatal(err)
	}
	var report struct {
		Event, Type string
		Number      int
		Size        int64
	}
	if n := readJSON(t, c, &report); n != 2<<10 || report.Event != "message" || report.Type != "text" ||
		report.Number != 1 || report.Size != 2 {
		t.Errorf("got %d bytes, %+v", n, report)
	}
	if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, 4000) {
		t.Errorf("got %v, want close 4000", err)
	}
	if _, resp, err := p.dialer().Dial("ws://"+p.http+"/ws/inspect?status=418", nil); err == nil || resp.StatusCode != 418 {
		t.Errorf("status=418: %v, %v", resp, err)
	}
}

// readJSON returns the size of the message.
func readJSON(t *testing.T, c *websocket.Conn, v any) int {
	t.Helper()
	_, p, err := c.ReadMessage()
	if err == nil {
		err = json.Unmarshal(p, v)
	}
	if err != nil {
		t.Fatalf("got %.300q, %v", p, err)
	}
	return len(p)
}
