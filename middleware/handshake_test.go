package middleware_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"example.com/wsecho/middleware"
)

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		name string
		opts middleware.Options
		want string // the error, empty for none
	}{
		{"zero", middleware.Options{}, ""},
		{"no limits", middleware.Options{ReadLimit: -1, WriteTimeout: -1, PingInterval: -1, PongTimeout: -1, CloseTimeout: -1, MaxConns: -1}, ""},
		{"subtree", middleware.Options{Path: "/a/b/"}, ""},
		{"root", middleware.Options{Path: "/"}, ""},
		{"relative path", middleware.Options{Path: "ws"}, `middleware: path "ws": must begin with "/"`},
		{"wildcard", middleware.Options{Path: "/{id}"}, `middleware: path "/{id}": wildcards are not supported`},
		{"query", middleware.Options{Path: "/ws?x=1"}, `middleware: path "/ws?x=1": must have no query or fragment`},
		{"double slash", middleware.Options{Path: "//ws"}, `middleware: path "//ws": must be clean, without //, . and .. elements`},
		{"dots", middleware.Options{Path: "/a/../ws"}, `middleware: path "/a/../ws": must be clean, without //, . and .. elements`},
		{"subprotocol", middleware.Options{Subprotocols: []string{"a b"}}, `middleware: subprotocol "a b": must be a token (RFC 9110 §5.6.2)`},
		{"subprotocol twice", middleware.Options{Subprotocols: []string{"a", "a"}}, `middleware: subprotocol "a": must not be listed twice`},
		{"origins", middleware.Options{AllowedOrigins: []string{"*", "null", "a.example", "*.a.example", "https://a.example:8443", "http://localhost:*", "http://[::1]:3000"}}, ""},
		{"empty origin", middleware.Options{AllowedOrigins: []string{""}}, `middleware: origin pattern "": has no host`},
		{"origin without host", middleware.Options{AllowedOrigins: []string{"https://"}}, `middleware: origin pattern "https://": has no host`},
		{"origin with port only", middleware.Options{AllowedOrigins: []string{":3000"}}, `middleware: origin pattern ":3000": has no host`},
		{"origin without scheme", middleware.Options{AllowedOrigins: []string{"://a.example"}}, `middleware: origin pattern "://a.example": has no scheme before ://`},
		{"origin with path", middleware.Options{AllowedOrigins: []string{"https://a.example/"}}, `middleware: origin pattern "https://a.example/": must be [scheme://]host[:port] and nothing else`},
		{"origin with star inside", middleware.Options{AllowedOrigins: []string{"a.*.example"}}, `middleware: origin pattern "a.*.example": may have a "*" only as the first label of the host or as the port`},
		{"origin with a bare IPv6 address", middleware.Options{AllowedOrigins: []string{"http://::1"}}, `middleware: origin pattern "http://::1": has a malformed host`},
		{"origin with a Unicode host", middleware.Options{AllowedOrigins: []string{"http://grüße.example"}}, `middleware: origin pattern "http://grüße.example": has a malformed host`},
		{"origin with bad port", middleware.Options{AllowedOrigins: []string{"a.example:http"}}, `middleware: origin pattern "a.example:http": has a malformed port`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if err := test.opts.Validate(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestNewPanics(t *testing.T) {
	defer func() {
		err, ok := recover().(error)
		if want := `middleware: path "ws": must begin with "/"`; !ok || err.Error() != want {
			t.Errorf("New panicked with %v, want %s", err, want)
		}
	}()
	middleware.New(middleware.Options{Path: "ws"})
}

func TestMatchPath(t *testing.T) {
	for _, test := range []struct {
		option, path string
		want         bool
	}{
		{"", "/ws", true},
		{"/ws", "/ws", true},
		{"/ws", "/ws?token=x", true},
		{"/ws", "/w%73", true},
		{"/ws", "/ws/", false},
		{"/ws", "/ws/a", false},
		{"/ws", "/WS", false},
		{"/ws", "//ws", false},
		{"/ws", "/x/../ws", false},
		{"/ws", "/", false},
		{"/ws/", "/ws/", true},
		{"/ws/", "/ws/a/b", true},
		{"/ws/", "/ws/a%2Fb", true},
		{"/ws/", "/ws", false},
		{"/ws/", "/wss/", false},
		{"/ws/", "/ws/../admin", false},
		{"/ws/", "/ws//a", false},
		{"/", "/", true},
		{"/", "/any/path", true},
		{"/", "//any", false},
	} {
		m := middleware.New(middleware.Options{Path: test.option})
		r := httptest.NewRequest("GET", test.path, nil)
		if m.Match(r) {
			t.Errorf("path %q: plain GET %q matches", test.option, test.path)
		}
		r.Header = http.Header{"Connection": {"keep-alive", "x, upgrade"}, "Upgrade": {"h2c, WebSocket"}}
		if got := m.Match(r); got != test.want {
			t.Errorf("path %q: Match(%q) = %v", test.option, test.path, got)
		}
	}
}

func TestOrigin(t *testing.T) {
	for _, test := range []struct {
		patterns, origin, host string
		tls, want              bool
	}{
		{"", "http://a.example", "a.example", false, true},
		{"", "https://a.example", "a.example", false, true}, // TLS may end at a proxy
		{"", "HTTP://A.Example", "a.example", false, true},
		{"", "http://a.example:80", "a.example", false, true},
		{"", "https://a.example", "a.example:443", true, true},
		{"", "http://a.example:3000", "a.example:3000", false, true},
		{"", "http://[::1]:3000", "[::1]:3000", false, true},
		{"", "http://[::1]", "[::1]", false, true},
		{"", "http://a.example", "a.example", true, false},
		{"", "http://a.example:3000", "a.example", false, false},
		{"", "http://a.example", "a.example:3000", false, false},
		{"", "http://b.example", "a.example", false, false},
		{"", "http://a.example.b.example", "a.example", false, false},
		{"", "ftp://a.example", "a.example", false, false},
		{"", "null", "a.example", false, false},
		{"", "", "a.example", false, false},
		{"", "a.example", "a.example", false, false},
		{"", "http://", "a.example", false, false},
		{"", "http://a.example/", "a.example", false, false},
		{"", "http://a.example http://a.example", "a.example", false, false},
		{"", "http://user@a.example", "a.example", false, false},
		{"", "http://::", "::", false, false}, // found by FuzzOrigin
		{"", "http://[::1", "[::1", false, false},
		{"", "http://a.example:http", "a.example:http", false, false},
		{"", "http://a.example:65536", "a.example:65536", false, false},
		{"", "http://a%2Eexample", "a%2Eexample", false, false},
		{"*", "https://b.example", "a.example", true, true},
		{"*", "null", "a.example", false, true},
		{"*", "nonsense", "a.example", false, false},
		{"null", "null", "a.example", false, true},
		{"null", "http://b.example", "a.example", false, false},
		{"b.example", "http://b.example", "a.example", false, true},
		{"b.example", "https://b.example", "a.example", false, true},
		{"b.example", "https://b.example:8443", "a.example", false, false},
		{"b.example", "ftp://b.example", "a.example", false, false},
		{"b.example:*", "https://b.example:8443", "a.example", false, true},
		{"https://b.example", "https://b.example", "a.example", false, true},
		{"https://b.example", "https://b.example:443", "a.example", false, true},
		{"https://b.example:443", "https://b.example", "a.example", false, true},
		{"https://b.example", "http://b.example", "a.example", false, false},
		{"HTTPS://B.example", "https://b.EXAMPLE", "a.example", false, true},
		{"https://*.b.example", "https://x.y.b.example", "a.example", false, true},
		{"https://*.b.example", "https://b.example", "a.example", false, false},
		{"https://*.b.example", "https://xb.example", "a.example", false, false},
		{"http://localhost:*", "http://localhost:5173", "a.example", false, true},
		{"http://localhost:*", "http://localhost.b.example:5173", "a.example", false, false},
		{"chrome-extension://abc", "chrome-extension://abc", "a.example", false, true},
		{"c.example b.example", "http://b.example", "a.example", false, true},
		{"c.example b.example", "http://a.example", "a.example", false, true}, // same origin all the same
	} {
		m := middleware.New(middleware.Options{
			AllowedOrigins: strings.Fields(test.patterns),
			Logger:         textLogger(io.Discard),
		})
		r := handshakeRequest()
		r.Host = test.host
		r.Header["Origin"] = []string{test.origin}
		if test.tls {
			r.TLS = &tls.ConnectionState{}
		}
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r)
		// A recorder cannot be hijacked, which is found out after the origin is accepted.
		want := http.StatusForbidden
		if test.want {
			want = http.StatusInternalServerError
		}
		if w.Code != want {
			t.Errorf("%q: origin %q at host %q: %d %s", test.patterns, test.origin, test.host, w.Code, w.Body)
		}
	}
}

func handshakeRequest() *http.Request {
	r := httptest.NewRequest("GET", "/ws", nil)
	r.Header = http.Header{
		"Connection":            {"Upgrade"},
		"Upgrade":               {"websocket"},
		"Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key":     {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	return r
}

// What a proxy says of its own side can only refuse more.
func TestOriginForwarded(t *testing.T) {
	for _, test := range []struct {
		proto, origin string
		want          int
	}{
		{"https", "https://a.example", 500}, // beyond the origin check, as above
		{"https", "http://a.example", 403},
		{"wss", "http://a.example", 403},
		{"HTTPS", "http://a.example", 403},
		{"http", "http://a.example", 500},
		{"http", "https://a.example", 500},
		{"https", "https://b.example", 403},
	} {
		m := middleware.New(middleware.Options{Logger: textLogger(io.Discard)})
		r := handshakeRequest()
		r.Host = "a.example"
		r.Header.Set("Origin", test.origin)
		r.Header.Set("X-Forwarded-Proto", test.proto)
		w := httptest.NewRecorder()
		if m.ServeHTTP(w, r); w.Code != test.want {
			t.Errorf("%s: origin %q: %d, want %d", test.proto, test.origin, w.Code, test.want)
		}
	}
}

// What the endpoint alone says to requests that are no handshakes.
func TestServeHTTPRefusals(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*http.Request)
		status int
		header http.Header
		body   string
	}{
		{"plain GET", func(r *http.Request) { r.Header = http.Header{} }, 426, http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}}, "this is a WebSocket endpoint: send a handshake with \"Connection: Upgrade\" and \"Upgrade: websocket\"\n"},
		{"plain POST", func(r *http.Request) { r.Header, r.Method = http.Header{}, "POST" }, 405, http.Header{"Allow": {"GET"}}, "method \"POST\": a WebSocket handshake must be a GET request\n"},
		{"Upgrade stripped", func(r *http.Request) { r.Header.Del("Upgrade") }, 426, http.Header{"Upgrade": {"websocket"}}, "WebSocket handshake without \"Upgrade: websocket\": a proxy in front has probably removed it, and must be told to forward Upgrade and Connection\n"},
		{"Connection stripped", func(r *http.Request) { r.Header.Set("Connection", "close") }, 426, http.Header{"Upgrade": {"websocket"}}, "WebSocket handshake without \"Connection: Upgrade\": a proxy in front has probably removed it, and must be told to forward Upgrade and Connection\n"},
		{"HTTP/2", func(r *http.Request) { r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0 }, 505, nil, "HTTP/2.0: WebSockets are served over HTTP/1.1 only\n"},
		{"HTTP/1.0", func(r *http.Request) { r.Proto, r.ProtoMinor = "HTTP/1.0", 0 }, 400, http.Header{"Connection": {"close"}}, "HTTP/1.0: a WebSocket handshake needs HTTP/1.1 (a proxy in front may have to be told to use it)\n"},
		{"key with another alphabet", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "__________________________==") }, 400, nil, "Sec-WebSocket-Key \"__________________________==\": must be 16 bytes in base64\n"},
		{"key one byte short", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j") }, 400, nil, "Sec-WebSocket-Key \"dGhlIHNhbXBsZSBub25j\": must be 16 bytes in base64\n"},
		{"key one byte long", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZSE=") }, 400, nil, "Sec-WebSocket-Key \"dGhlIHNhbXBsZSBub25jZSE=\": must be 16 bytes in base64\n"},
		{"key of any length", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", strings.Repeat("x", 1<<20)) }, 400, nil, "Sec-WebSocket-Key \"" + strings.Repeat("x", 100) + "\": must be 16 bytes in base64\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := handshakeRequest()
			test.change(r)
			w := httptest.NewRecorder()
			middleware.New(middleware.Options{Logger: textLogger(io.Discard)}).ServeHTTP(w, r)
			if w.Code != test.status || w.Body.String() != test.body {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body, test.status, test.body)
			}
			for name, want := range test.header {
				if got := w.Header()[name]; !slices.Equal(got, want) {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// The diagnosis of a proxy that strips headers: the request goes on, the log says why it did.
func TestStrippedHeaders(t *testing.T) {
	for _, test := range []struct {
		strip, want string
	}{
		{"Upgrade", `level=WARN msg="WebSocket handshake without \"Upgrade: websocket\": a proxy in front has probably removed it, and must be told to forward Upgrade and Connection" remote=192.0.2.1:1234 path=/ws` + "\n"},
		{"Connection", `level=WARN msg="WebSocket handshake without \"Connection: Upgrade\": a proxy in front has probably removed it, and must be told to forward Upgrade and Connection" remote=192.0.2.1:1234 path=/ws` + "\n"},
		{"Sec-WebSocket-Key", ""},
	} {
		var log syncBuffer
		h := middleware.New(middleware.Options{Logger: textLogger(&log)}).Handler(http.NotFoundHandler())
		r := handshakeRequest()
		r.Header.Del(test.strip)
		if test.want == "" {
			r.Header.Del("Upgrade")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 404 || log.String() != test.want {
			t.Errorf("without %s: %d, logged %q, want %q", test.strip, w.Code, log.String(), test.want)
		}
	}
}

func TestSubprotocol(t *testing.T) {
	for _, test := range []struct {
		spoken, lines, want string
	}{
		{"", "", ""},
		{"", "Sec-WebSocket-Protocol: a, b\r\n", "a"},
		{"", "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n", "a"},
		{"", "Sec-WebSocket-Protocol: ,, a\t,\r\n", "a"},
		{"", "Sec-WebSocket-Protocol:\r\n", ""},
		{"b a", "Sec-WebSocket-Protocol: a, b\r\n", "b"},
		{"b", "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n", "b"},
		{"c", "Sec-WebSocket-Protocol: a, b\r\n", ""},
		{"A", "Sec-WebSocket-Protocol: a\r\n", ""},
	} {
		s := serve(t, middleware.Options{Subprotocols: strings.Fields(test.spoken)})
		c := connect(t, s, test.lines)
		_, set := c.resp.Header["Sec-Websocket-Protocol"]
		if got := c.resp.Header.Get("Sec-WebSocket-Protocol"); got != test.want || set != (test.want != "") {
			t.Errorf("%q offered %q: got %q", test.spoken, test.lines, got)
		}
	}
}

func TestExtensions(t *testing.T) {
	const plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	for _, test := range []struct {
		offer, want string
	}{
		{"permessage-deflate", plain},
		{"permessage-deflate; client_max_window_bits", plain},
		{"permessage-deflate; client_max_window_bits=10", plain},
		{`permessage-deflate; client_max_window_bits="8"`, plain},
		{"permessage-deflate; server_no_context_takeover; client_no_context_takeover", plain},
		{"permessage-deflate ;server_max_window_bits = 9", plain + "; server_max_window_bits=9"},
		{`permessage-deflate; server_max_window_bits="15"`, plain + "; server_max_window_bits=15"},
		{`permessage-deflate; server_max_window_bits="1\0"`, plain + "; server_max_window_bits=10"},
		{",, x-unknown; a=b; c , permessage-deflate,", plain},
		{"permessage-deflate; unknown, permessage-deflate; server_max_window_bits=8", plain + "; server_max_window_bits=8"},
		{"permessage-deflate; server_max_window_bits=10, permessage-deflate", plain + "; server_max_window_bits=10"},
		{"x-unknown\r\nSec-WebSocket-Extensions: permessage-deflate", plain},
		{"x-webkit-deflate-frame", ""},
		{"permessage-deflate; unknown", ""},
		{"permessage-deflate; server_max_window_bits", ""},
		{"permessage-deflate; server_max_window_bits=7", ""},
		{"permessage-deflate; server_max_window_bits=16", ""},
		{"permessage-deflate; server_max_window_bits=08", ""},
		{"permessage-deflate; server_max_window_bits=+9", ""},
		{"permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", ""},
		{"permessage-deflate; client_max_window_bits=16", ""},
		{"permessage-deflate; client_max_window_bits; client_max_window_bits=9", ""},
		{"permessage-deflate; server_no_context_takeover=1", ""},
		{"permessage-deflate; client_no_context_takeover; client_no_context_takeover", ""},
		{"permessage-deflate permessage-deflate", "400"},
		{"permessage-deflate; ; server_max_window_bits=9", "400"},
		{"permessage-deflate;", "400"},
		{"; permessage-deflate", "400"},
		{"permessage-deflate; server_max_window_bits=", "400"},
		{`permessage-deflate; server_max_window_bits="9`, "400"},
		{`permessage-deflate; server_max_window_bits="9\`, "400"},
		{`permessage-deflate; server_max_window_bits=""`, "400"},
		{`permessage-deflate; a="b c"`, "400"},
		{"permessage-deflate, =", "400"},
	} {
		s := serve(t, middleware.Options{Compression: true})
		c := dialRaw(t, s)
		resp := c.request("/ws", handshakeLines, "Sec-WebSocket-Extensions: "+test.offer+"\r\n")
		got := resp.Header.Get("Sec-WebSocket-Extensions")
		if resp.StatusCode == 400 {
			got = "400"
		}
		if got != test.want {
			t.Errorf("%q: got %q, want %q", test.offer, got, test.want)
		}
	}
	c := connect(t, serve(t, middleware.Options{}), "Sec-WebSocket-Extensions: permessage-deflate\r\n")
	if got, ok := c.resp.Header["Sec-Websocket-Extensions"]; ok {
		t.Errorf("without Compression: got %q", got)
	}
}

// Empty list elements are legal (RFC 9110 §5.6.1.2), and headers may be spread over lines.
func TestTokenLists(t *testing.T) {
	s := serve(t, middleware.Options{Handler: plainEcho()})
	c := dialRaw(t, s)
	resp := c.request("/ws", "Host: localhost\r\nConnection: , keep-alive\r\nConnection: ,UPGRADE,\r\n",
		"Upgrade: ,,WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
	if resp.StatusCode != 101 {
		t.Fatal(resp.Status)
	}
	c.send(text("hi"))
	c.want(reply(0x81, "hi"))
}

// What outer layers have set arrives with the 101, and they see its status.
func TestOuterLayers(t *testing.T) {
	ws := middleware.New(middleware.Options{Handler: plainEcho(), Logger: textLogger(io.Discard)})
	status := make(chan int, 1)
	s := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		w.Header().Set("Sec-WebSocket-Protocol", "bogus")
		w.Header().Set("X-Request-Id", "7")
		ws.ServeHTTP(&unwrapOnly{w, func(code int) { status <- code }}, r)
	}))
	c := connect(t, s)
	if got := <-status; got != 101 {
		t.Errorf("status seen: %d", got)
	}
	for name, want := range map[string][]string{
		"Set-Cookie":             {"session=1"},
		"X-Request-Id":           {"7"},
		"Sec-Websocket-Accept":   {"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
		"Upgrade":                {"websocket"},
		"Connection":             {"Upgrade"},
		"Sec-Websocket-Protocol": nil,
		"Content-Type":           nil,
		"Transfer-Encoding":      nil,
	} {
		if got := c.resp.Header[name]; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	c.send(text("hi"))
	c.want(reply(0x81, "hi"))
}

// Where nobody watches the 101, net/http has no part in it; it keeps the rules all the same.
func TestResponseHead(t *testing.T) {
	ws := middleware.New(middleware.Options{Subprotocols: []string{"chat"}, Logger: textLogger(io.Discard)})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.Header().Set("X-Split", "x\r\nX-Injected: y")
		w.Header().Set("X Bad", "no name")
		ws.ServeHTTP(w, r)
	}))
	s.Config.SetKeepAlivesEnabled(false) // with which net/http would break the Connection header
	s.Start()
	t.Cleanup(s.Close)
	c := dialRaw(t, s)
	c.send("GET /ws HTTP/1.1\r\n" + handshakeLines + "Sec-WebSocket-Protocol: chat\r\n\r\n" + text("hi"))
	c.want("HTTP/1.1 101 Switching Protocols\r\n" +
		"Connection: Upgrade\r\n" +
		"Sec-Websocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
		"Sec-Websocket-Protocol: chat\r\n" +
		"Set-Cookie: a=1\r\n" +
		"Set-Cookie: b=2\r\n" +
		"Upgrade: websocket\r\n" +
		"X-Split: x  X-Injected: y\r\n\r\n" +
		reply(0x81, middleware.Greeting+"hi"))
}

// A client that asks for the connection to be closed afterwards is served all the same.
func TestConnectionClose(t *testing.T) {
	s := serve(t, middleware.Options{Handler: plainEcho()})
	c := dialRaw(t, s)
	c.send("GET /ws HTTP/1.1\r\n" + handshakeLines + "Connection: close\r\n\r\n")
	head := "" // as it came: Go's parser would drop the header in question
	for !strings.HasSuffix(head, "\r\n\r\n") {
		line, err := c.r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		head += line
	}
	if !strings.Contains(head, "\r\nConnection: Upgrade, close\r\n") {
		t.Errorf("got %q", head)
	}
	c.send(text("hi"))
	c.want(reply(0x81, "hi"))
}

// unwrapOnly is a wrapper in the style since Go 1.20.
type unwrapOnly struct {
	http.ResponseWriter
	seen func(code int)
}

func (w *unwrapOnly) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *unwrapOnly) WriteHeader(code int) {
	w.seen(code)
	w.ResponseWriter.WriteHeader(code)
}

// hijackOnly is a wrapper in the style before that, as negroni v1's.
type hijackOnly struct {
	http.ResponseWriter
	seen func(code int)
}

func (w *hijackOnly) WriteHeader(code int) {
	w.seen(code)
	w.ResponseWriter.WriteHeader(code)
}

func (w *hijackOnly) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.ResponseWriter.(http.Hijacker).Hijack()
}

// putsOff is a wrapper that sends the header with what comes next, as gin's.
type putsOff struct {
	unwrapOnly
	code int
}

func (w *putsOff) WriteHeader(code int) { w.code = code }

func (w *putsOff) Write(p []byte) (int, error) {
	w.Flush()
	return w.ResponseWriter.Write(p)
}

func (w *putsOff) Flush() { w.unwrapOnly.WriteHeader(w.code) }

// asserts is a wrapper whose methods take for granted that what it wraps has them, as gin's
// Hijack and echo's Flush.
type asserts struct{ hijackOnly }

func (w *asserts) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *asserts) Flush() { w.ResponseWriter.(http.Flusher).Flush() }

// hidesAll is a wrapper that forwards nothing but the three methods.
type hidesAll struct{ http.ResponseWriter }

func TestWriters(t *testing.T) {
	const cannot = "the connection cannot be hijacked through a %: put the WebSocket middleware outside of whatever made it, or give it an Unwrap method\n"
	type writer = http.ResponseWriter
	for _, test := range []struct {
		name string
		wrap func(w writer, seen func(int)) writer
		want string // the type that cannot be hijacked, empty if it can
	}{
		{"Unwrap", func(w writer, seen func(int)) writer { return &unwrapOnly{w, seen} }, ""},
		{"Hijack", func(w writer, seen func(int)) writer { return &hijackOnly{w, seen} }, ""},
		{"Hijack over Hijack", func(w writer, seen func(int)) writer {
			return &hijackOnly{&hijackOnly{w, seen}, func(int) {}}
		}, ""},
		{"WriteHeader put off", func(w writer, seen func(int)) writer {
			return &putsOff{unwrapOnly: unwrapOnly{w, seen}}
		}, ""},
		{"Unwrap over Hijack", func(w writer, seen func(int)) writer {
			return &unwrapOnly{&hijackOnly{w, seen}, func(int) {}}
		}, ""},
		{"Hijack over Unwrap", func(w writer, seen func(int)) writer {
			return &hijackOnly{&unwrapOnly{w, seen}, func(int) {}}
		}, "*middleware_test.hijackOnly"},
		{"Unwrap over Hijack over Unwrap", func(w writer, seen func(int)) writer {
			return &unwrapOnly{&hijackOnly{&unwrapOnly{w, seen}, func(int) {}}, func(int) {}}
		}, "*middleware_test.unwrapOnly"},
		{"WriteHeader put off behind Hijack", func(w writer, seen func(int)) writer {
			return &hijackOnly{&struct {
				putsOff
				http.Hijacker
			}{putsOff{unwrapOnly: unwrapOnly{w, seen}}, w.(http.Hijacker)}, func(int) {}}
		}, ""},
		{"asserted Hijack", func(w writer, seen func(int)) writer {
			return &asserts{hijackOnly{&unwrapOnly{w, seen}, func(int) {}}}
		}, ""},
		{"asserted Flush", func(w writer, seen func(int)) writer {
			return &asserts{hijackOnly{&hijackOnly{w, seen}, func(int) {}}}
		}, ""},
		{"asserted Hijack over neither", func(w writer, seen func(int)) writer {
			return &asserts{hijackOnly{hidesAll{&unwrapOnly{w, seen}}, func(int) {}}}
		}, "*middleware_test.asserts"},
		{"neither", func(w writer, seen func(int)) writer { return hidesAll{&unwrapOnly{w, seen}} }, "middleware_test.hidesAll"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var serverLog, wsLog syncBuffer
			status := make(chan int, 1)
			ws := middleware.New(middleware.Options{Handler: plainEcho(), Logger: textLogger(&wsLog)})
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ws.ServeHTTP(test.wrap(w, func(code int) { status <- code }), r)
			}))
			s.Config.ErrorLog = log.New(&serverLog, "", 0)
			s.Start()
			t.Cleanup(s.Close)
			c := dialRaw(t, s)
			resp := c.request("/ws", handshakeLines)
			if got := <-status; got != resp.StatusCode {
				t.Errorf("status seen %d, sent %d", got, resp.StatusCode)
			}
			if test.want != "" {
				body, _ := io.ReadAll(resp.Body)
				if want := strings.Replace(cannot, "%", test.want, 1); resp.StatusCode != 500 || string(body) != want {
					t.Errorf("got %d %q, want 500 %q", resp.StatusCode, body, want)
				}
				if !strings.Contains(wsLog.String(), test.want) {
					t.Errorf("logged %q, which does not name %s", wsLog.String(), test.want)
				}
				return
			}
			c.send(text("hi") + closing(1000, ""))
			c.want(reply(0x81, "hi") + closeReply(1000, ""))
			c.wantEnd()
			if serverLog.String() != "" {
				t.Errorf("the server has logged %q", serverLog.String())
			}
		})
	}
}

// Frames sent behind the handshake request, without waiting for the answer, are served.
func TestEarlyFrames(t *testing.T) {
	s := serve(t, middleware.Options{Handler: plainEcho()})
	c := dialRaw(t, s)
	large := strings.Repeat("x", 60000) // more than net/http's buffer holds
	c.send("GET /ws HTTP/1.1\r\n" + handshakeLines + "\r\n" + text("early") + text(large) + closing(1000, ""))
	if resp := c.response(); resp.StatusCode != 101 {
		t.Fatal(resp.Status)
	}
	c.want(reply(0x81, "early") + reply(0x81, large) + closeReply(1000, ""))
	c.wantEnd()
}
