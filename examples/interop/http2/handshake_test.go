package http2_test

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/wsecho/middleware"
)

func TestHandshake(t *testing.T) {
	const deflate = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	s := serve(t, echo(middleware.Options{
		Subprotocols: []string{"b"}, Compression: true, AllowedOrigins: []string{"https://a.example"},
	}).Handler(app()))
	for _, test := range []struct {
		name  string
		lines []string
		want  string // the headers of the answer
	}{
		{"plain", nil, ""},
		{"path with a query", []string{":path= /ws?a=b"}, ""},
		{"subprotocol", []string{"sec-websocket-protocol= a, b"}, "sec-websocket-protocol: b\n"},
		{"compression", []string{"sec-websocket-extensions= permessage-deflate"}, "sec-websocket-extensions: " + deflate + "\n"},
		{"origin", []string{"origin= https://a.example"}, ""},
		{"same origin", []string{":authority= b.example", "origin= https://b.example"}, ""},
		{"a key, which has no meaning", []string{"sec-websocket-key= x"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			ws := dial(t, s).connect(test.lines...)
			if got := ws.headers(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			ws.send(text("hi"))
			ws.want(reply(0x81, "hi"))
		})
	}
}

// headers are the lines of the response but the status and the date.
func (s *stream) headers() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.header)) {
		if name != ":status" && name != "date" {
			lines.WriteString(name + ": " + strings.Join(s.header[name], ", ") + "\n")
		}
	}
	return lines.String()
}

// A refusal concerns its stream alone, and has none of the headers that HTTP/2 forbids.
func TestRefusals(t *testing.T) {
	const plain = "content-type: text/plain; charset=utf-8\n"
	const nosniff = "x-content-type-options: nosniff\n"
	s := serve(t, echo(middleware.Options{MaxConns: 1}))
	c := dial(t, s)
	for _, test := range []struct {
		name, line, status, headers, body string
	}{
		{"version", "sec-websocket-version= 8", "426", plain + "sec-websocket-version: 13\n" + nosniff, "Sec-WebSocket-Version \"8\": must be 13, given once\n"},
		{"no version", "sec-websocket-version", "426", plain + "sec-websocket-version: 13\n" + nosniff, "Sec-WebSocket-Version \"\": must be 13, given once\n"},
		{"origin", "origin= https://b.example", "403", plain + nosniff, "origin \"https://b.example\" is not allowed to connect to host \"" + s.Listener.Addr().String() + "\"\n"},
		{"subprotocol", "sec-websocket-protocol= a b", "400", plain + nosniff, "Sec-WebSocket-Protocol \"a b\": must be a token\n"},
		{"extensions", "sec-websocket-extensions= ;", "400", plain + nosniff, "malformed Sec-WebSocket-Extensions header: must be as in RFC 6455 §9.1\n"},
		{"length", "content-length= 5", "400", plain + nosniff, "a WebSocket handshake must have no Content-Length\n"},
		{"other protocol", ":protocol= connect-udp", "505", plain + nosniff, "HTTP/2: a WebSocket handshake must be a GET request over HTTP/1.1, or a CONNECT request with :protocol websocket\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.t = t
			ws := c.open(test.line)
			ws.wantStatus(test.status)
			body, err := io.ReadAll(ws)
			if string(body) != test.body || err != nil {
				t.Errorf("got %q, %v; want %q", body, err, test.body)
			}
			got := ws.headers()
			if _, rest, ok := strings.Cut(got, "\n"); ok && strings.HasPrefix(got, "content-length: ") {
				got = rest
			}
			if got != test.headers {
				t.Errorf("got %q, want %q", got, test.headers)
			}
		})
	}
	c.t = t
	ws := c.connect()
	full := c.open()
	full.wantStatus("503")
	if got := full.headers(); !strings.Contains(got, "retry-after: 1\n") {
		t.Errorf("503 with %q", got)
	}
	ws.send(hello + bye)
	ws.want(helloBack + byeBack)
	ws.wantEnd()
	if c.goAway {
		t.Error("a refusal has ended the connection")
	}
}

// What is not for us reaches next as it was.
func TestPassedOn(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, r.Method+" "+strings.Join(r.Header[":protocol"], ",")+" "+r.URL.Path)
	})
	c := dial(t, serve(t, echo(middleware.Options{}).Handler(next)))
	for _, test := range []struct{ line, want string }{
		{":path= /other", "CONNECT websocket /other"},
		{":protocol= connect-udp", "CONNECT connect-udp /ws"},
		{":protocol= WebSocket", "CONNECT WebSocket /ws"},
	} {
		s := c.open(test.line)
		s.wantStatus("418")
		s.want(test.want)
		s.wantEnd()
	}
}

// The origin is compared with :authority, or with Host if there is none. :scheme is no proof of TLS.
func TestOrigins(t *testing.T) {
	s := serve(t, echo(middleware.Options{}))
	for _, test := range []struct {
		lines []string
		want  string
	}{
		{[]string{":authority", "host= a.example", "origin= https://a.example"}, "200"},
		{[]string{":authority", "origin= https://a.example"}, "403"},
		{[]string{":authority= a.example", "host= b.example", "origin= https://b.example"}, "403"},
		{[]string{":authority= a.example", "host= b.example", "origin= https://a.example"}, "200"},
		{[]string{":authority= a.example", "origin= http://a.example"}, "403"},
		{[]string{":authority= a.example", "origin= https://a.example:8443"}, "403"},
		{[]string{":authority= a.example", "origin= null"}, "403"},
		{[]string{":authority= a.example", "origin= file://"}, "403"},
	} {
		dial(t, s).open(test.lines...).wantStatus(test.want)
	}
}

// What is malformed as HTTP/2 does not reach the middleware, and concerns its stream alone.
func TestMalformed(t *testing.T) {
	c := dial(t, serve(t, echo(middleware.Options{})))
	for _, line := range []string{":path", ":path= ws", ":method= GET", ":authority= a@b.example"} {
		s := c.open(line)
		s.waitFor("answer", func() bool { return s.header != nil || s.reset != nil })
		if got := s.status(); got != "" && got != "505" {
			t.Errorf("%s: got %s", line, got)
		}
	}
	ws := c.connect()
	ws.send(hello + bye)
	ws.want(helloBack + byeBack)
	ws.wantEnd()
}

// A request of another kind at the endpoint is refused.
func TestNoConnect(t *testing.T) {
	s := serve(t, echo(middleware.Options{}))
	for _, method := range []string{"GET", "POST"} {
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusHTTPVersionNotSupported || resp.ProtoMajor != 2 {
			t.Errorf("%s: got %s over %s", method, resp.Status, resp.Proto)
		}
	}
}
