package middleware_test

import (
	"io"
	"math"
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
		{"message rate without end", middleware.Options{MaxMessageRate: math.Inf(1)}, `middleware: message rate +Inf: must be finite`},
		{"no message rate", middleware.Options{MaxMessageRate: math.NaN()}, `middleware: message rate NaN: must be finite`},
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

// The endpoint alone passes nothing on: it refuses requests that are no handshakes.
func TestServeHTTPRefuses(t *testing.T) {
	for _, test := range []struct {
		name, strip, body string
	}{
		{"plain GET", "Connection Upgrade Sec-WebSocket-Key", "this is a WebSocket endpoint: send a handshake with \"Connection: Upgrade\" and \"Upgrade: websocket\"\n"},
		{"Upgrade stripped", "Upgrade", "WebSocket handshake without \"Upgrade: websocket\": a proxy in front has probably removed it, and must be told to forward Upgrade and Connection\n"},
	} {
		r := handshakeRequest()
		for _, name := range strings.Fields(test.strip) {
			r.Header.Del(name)
		}
		w := httptest.NewRecorder()
		middleware.New(middleware.Options{Logger: textLogger(io.Discard)}).ServeHTTP(w, r)
		if w.Code != 426 || w.Body.String() != test.body || w.Header().Get("Upgrade") != "websocket" {
			t.Errorf("%s: got %d %q %q, want 426 %q", test.name, w.Code, w.Header(), w.Body, test.body)
		}
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

// The options are the terms of the handshake, and what was agreed on holds for the connection.
func TestNegotiation(t *testing.T) {
	const offers = "Origin: https://b.example\r\nSec-WebSocket-Protocol: a, b\r\n" +
		"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n"
	s := serve(t, middleware.Options{
		AllowedOrigins: []string{"b.example"}, Subprotocols: []string{"b", "a"}, Compression: true,
		Handler: plainEcho(),
	})
	c := dialRaw(t, s)
	c.send("GET /ws HTTP/1.1\r\n" + handshakeLines + offers + "\r\n")
	c.want("HTTP/1.1 101 Switching Protocols\r\n" +
		"Connection: Upgrade\r\n" +
		"Sec-Websocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
		"Sec-Websocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9\r\n" +
		"Sec-Websocket-Protocol: b\r\n" +
		"Upgrade: websocket\r\n\r\n")
	c.send(frame(finBit|rsv1Bit|textOp, "\xf2\x48\xcd\xc9\xc9\x07\x00")) // RFC 7692 §7.2.3.1
	c.want(reply(finBit|textOp, "Hello"))
	if resp := dialRaw(t, s).request("/ws", handshakeLines, "Origin: https://c.example\r\n"); resp.StatusCode != 403 {
		t.Errorf("other origin: %s", resp.Status)
	}
	if resp := dialRaw(t, serve(t, middleware.Options{})).request("/ws", handshakeLines, offers); resp.StatusCode != 403 {
		t.Errorf("origin of the zero Options: %s", resp.Status)
	}
}

// Empty list elements and headers spread over lines are as good as any.
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

// The 101 and the first reply, as they are where nobody watches the 101.
func TestResponseHead(t *testing.T) {
	ws := middleware.New(middleware.Options{Subprotocols: []string{"chat"}, Logger: textLogger(io.Discard)})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "a=1")
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
		"Upgrade: websocket\r\n\r\n" +
		reply(0x81, middleware.Greeting+"hi"))
}

// A client that asks for the connection to be closed afterwards is served all the same.
func TestConnectionClose(t *testing.T) {
	s := serve(t, middleware.Options{Handler: plainEcho()})
	c := dialRaw(t, s)
	c.send("GET /ws HTTP/1.1\r\n" + handshakeLines + "Connection: close\r\n\r\n")
	head, err := readHead(c) // as it came: Go's parser would drop the header in question
	if err != nil {
		t.Fatal(err)
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

// hidesAll is a wrapper that forwards nothing but the three methods.
type hidesAll struct{ http.ResponseWriter }

// A writer that cannot be hijacked is answered with 500, and the log names its type.
func TestUnhijackable(t *testing.T) {
	const cannot = "the connection cannot be hijacked through a middleware_test.hidesAll: put the WebSocket middleware outside of whatever made it, or give it an Unwrap method"
	var wsLog syncBuffer
	ws := middleware.New(middleware.Options{Logger: textLogger(&wsLog)})
	s := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws.ServeHTTP(hidesAll{w}, r)
	}))
	resp := dialRaw(t, s).request("/ws", handshakeLines)
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 500 || string(body) != cannot+"\n" {
		t.Errorf("got %d %q, want 500 %q", resp.StatusCode, body, cannot)
	}
	if !strings.Contains(wsLog.String(), cannot) {
		t.Errorf("logged %q, which does not name the writer", wsLog.String())
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
	c.WantEnd()
}
