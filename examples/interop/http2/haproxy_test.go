package http2_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
	"example.com/wsecho/middleware"
	"golang.org/x/net/http2"
)

// haproxyConf accepts HTTP/2 without TLS on a socket that it inherits. At its end, the address of
// the server behind it is missing.
const haproxyConf = `defaults
	mode http
	timeout connect 5s
	timeout client 20s
	timeout server 20s
	timeout tunnel 1h
frontend web
	bind fd@3 proto h2
	default_backend app
backend app
	server app `

// HAProxy accepts extended CONNECT by default. It makes an upgrade of HTTP/1.1 of it, or, for a
// server of HTTP/2 that announces it, passes it on.
func TestHAProxy(t *testing.T) {
	for _, test := range []struct {
		server  string // its options
		request string // that the application gets
	}{
		{"", "GET HTTP/1.1"},
		{"proto h2 ws h2", "CONNECT HTTP/2.0"},
	} {
		t.Run(test.request, func(t *testing.T) {
			e := newEndings(t)
			m := echo(e.watch(middleware.Options{Subprotocols: []string{"b"}, Compression: true}))
			requests := make(chan string, 10)
			s := servePlain(t, e.around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests <- r.Method + " " + r.Proto
				m.Handler(app()).ServeHTTP(w, r)
			})))
			c := dialHAProxy(t, s, test.server)
			testThroughHAProxy(t, c, e)
			if got := receive(t, requests); got != test.request {
				t.Errorf("got %s, want %s", got, test.request)
			}
		})
	}
}

func testThroughHAProxy(t *testing.T, c *client, e *endings) {
	c.t = t
	ws := c.connect(":authority= a.example", "origin= https://a.example", "sec-websocket-protocol= a, b",
		"sec-websocket-extensions= permessage-deflate")
	const want = "sec-websocket-extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\n" +
		"sec-websocket-protocol: b\n"
	if got := ws.headers(); !strings.HasSuffix(got, want) { // HAProxy may add a Sec-WebSocket-Accept.
		t.Errorf("got %q, want %q", got, want)
	}
	if n := c.settings[http2.SettingMaxConcurrentStreams]; n != 100 {
		t.Errorf("HAProxy allows %d streams, not 100 as OPERATIONS.md says", n)
	}
	large := strings.Repeat("0123456789", 2000)
	ws.send(hello)
	ws.want(helloBack)
	ws.send(text(large) + bye)
	if got, err := io.ReadAll(ws); err != nil || !strings.HasSuffix(string(got), byeBack) {
		t.Errorf("got %.100q, %v", got, err)
	}
	e.wantClosed(1000, true)

	refused := c.open(":authority= a.example", "origin= https://b.example")
	refused.wantStatus("403")
	receive(t, e.returned)
}

// dialHAProxy runs HAProxy in front of the server, and connects to it.
func dialHAProxy(t *testing.T, s *httptest.Server, options string) *client {
	t.Helper()
	path := program.Find(t, "haproxy", "haproxy")
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	socket, err := listener.File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	conf := filepath.Join(t.TempDir(), "haproxy.cfg")
	text := haproxyConf + s.Listener.Addr().String() + " " + options + "\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-db", "-f", conf)
	cmd.ExtraFiles = []*os.File{socket}
	program.Start(t, cmd)
	conn, err := net.Dial("tcp", listener.Addr().String()) // HAProxy accepts it when it has started.
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, conn)
}
