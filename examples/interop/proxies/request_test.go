//go:build linux

package proxies_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
)

// server is a server with the middleware, whose log has neither times nor ports.
type server struct {
	address string
	log     *program.Log
}

func serve(t *testing.T, opts middleware.Options) *server {
	t.Helper()
	return serveWith(t, opts, (*httptest.Server).Start)
}

func serveTLS(t *testing.T, opts middleware.Options) *server {
	t.Helper()
	return serveWith(t, opts, (*httptest.Server).StartTLS)
}

func serveWith(t *testing.T, opts middleware.Options, start func(*httptest.Server)) *server {
	t.Helper()
	log := program.NewLog()
	opts.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{
		Level: slog.LevelDebug, ReplaceAttr: withoutTimesAndPorts,
	}))
	s := httptest.NewUnstartedServer(middleware.New(opts).Handler(http.NotFoundHandler()))
	start(s)
	t.Cleanup(s.Close)
	return &server{s.Listener.Addr().String(), log}
}

func withoutTimesAndPorts(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case slog.TimeKey, "duration":
		return slog.Attr{}
	case "remote":
		host, _, _ := net.SplitHostPort(a.Value.String())
		return slog.String("remote", host)
	}
	return a
}

// What a handler sees of the client, whose address is not that of the proxy.
func TestHandlerSees(t *testing.T) { each(t, testHandlerSees) }

func testHandlerSees(t *testing.T, k *kind) {
	s := serve(t, middleware.Options{Handler: middleware.HandlerFunc(sendHeaders)})
	p := k.start(t, s.address)
	for _, test := range []struct {
		name, url, host string
		want            string
	}{
		{"address and port", "ws://" + p.http, "", "Host " + p.http + ", X-Forwarded-For [127.0.0.2], X-Forwarded-Proto [http]"},
		{"name", "ws://" + p.http, "example.com", "Host example.com, X-Forwarded-For [127.0.0.2], X-Forwarded-Proto [http]"},
		{"TLS, name and port", "wss://" + p.https, "example.com:8443", "Host example.com:8443, X-Forwarded-For [127.0.0.2], X-Forwarded-Proto [https]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dialer := p.dialer()
			dialer.NetDialContext = (&net.Dialer{
				LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)},
			}).DialContext
			header := http.Header{"Host": {test.host}, "X-Forwarded-For": {"192.0.2.1, 192.0.2.2"}}
			c, _, err := dialer.Dial(test.url+"/ws", header)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, got, err := c.ReadMessage(); string(got) != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
	s.log.Want(t, `msg="WebSocket connected" remote=127.0.0.1 path=/ws`)
}

// sendHeaders sends the headers that it sees.
func sendHeaders(_ context.Context, c *middleware.Conn) error {
	r := c.Request()
	return c.WriteMessage(middleware.TextMessage, fmt.Appendf(nil,
		"Host %s, X-Forwarded-For %v, X-Forwarded-Proto %v",
		r.Host, r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"]))
}

// A page's origin is compared with the address that the browser used, although the server listens
// on another one, without TLS.
func TestOrigins(t *testing.T) { each(t, testOrigins) }

func testOrigins(t *testing.T, k *kind) {
	s := serve(t, middleware.Options{})
	p := k.start(t, s.address)
	plain, secure := "ws://"+p.http, "wss://"+p.https
	for _, test := range []struct {
		name, url, host, origin string
		want                    string
	}{
		{"same", plain, "", "http://" + p.http, "101"},
		{"same, port 80", plain, "example.com", "http://example.com", "101"},
		{"same, TLS", secure, "", "https://" + p.https, "101"},
		{"same, TLS, port 443", secure, "example.com", "https://example.com", "101"},
		{"no browser", plain, "", "", "101"},
		{"other host", plain, "example.com", "http://evil.example", "403 origin \"http://evil.example\" is not allowed to connect to host \"example.com\"\n"},
		{"other host, TLS", secure, "example.com", "https://evil.example", "403 origin \"https://evil.example\" is not allowed to connect to host \"example.com\"\n"},
		{"other port", plain, "example.com:8080", "http://example.com", "403 origin \"http://example.com\" is not allowed to connect to host \"example.com:8080\"\n"},
		{"address of the server", plain, "example.com", "http://" + s.address, "403 origin \"http://" + s.address + "\" is not allowed to connect to host \"example.com\"\n"},
		{"plain page, TLS", secure, "example.com", "http://example.com", "403 origin \"http://example.com\" is not allowed to connect to host \"example.com\"\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := handshake(t, p, test.url, test.host, test.origin); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	s.log.Want(t, `msg="WebSocket handshake refused" remote=127.0.0.1 path=/ws status=403 `+
		`reason="origin \"http://evil.example\" is not allowed to connect to host \"example.com\""`)
}

// handshake returns the status and, if refused, the body.
func handshake(t *testing.T, p *proxy, url, host, origin string) string {
	t.Helper()
	header := http.Header{}
	if host != "" {
		header.Set("Host", host)
	}
	if origin != "" {
		header.Set("Origin", origin)
	}
	c, resp, err := p.dialer().Dial(url+"/ws", header)
	if err == nil {
		defer c.Close()
		return "101"
	}
	if err != websocket.ErrBadHandshake {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, body)
}

// A subprotocol and compression are agreed upon by the client and the server.
func TestNegotiated(t *testing.T) { each(t, testNegotiated) }

func testNegotiated(t *testing.T, k *kind) {
	s := serve(t, middleware.Options{Subprotocols: []string{"chat.v2"}, Compression: true})
	p := k.start(t, s.address)
	dialer := p.dialer()
	dialer.Subprotocols = []string{"chat.v1", "chat.v2"}
	dialer.EnableCompression = true
	c, resp, err := dialer.Dial("wss://"+p.https+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const deflate = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	if got := resp.Header.Values("Sec-Websocket-Extensions"); len(got) != 1 || got[0] != deflate {
		t.Errorf("extensions %q, want %q", got, deflate)
	}
	if c.Subprotocol() != "chat.v2" {
		t.Errorf("subprotocol %q", c.Subprotocol())
	}
	for _, sent := range []string{"short", strings.Repeat("long ", 1<<17)} {
		if err := c.WriteMessage(websocket.TextMessage, []byte(sent)); err != nil {
			t.Fatal(err)
		}
		_, got, err := c.ReadMessage()
		if want := "Hello from the server! You sent: " + sent; string(got) != want {
			t.Fatalf("got %.80q, %v; want %.80q", got, err, want)
		}
	}
}
