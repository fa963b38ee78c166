package handshake

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// connectRequest returns an extended CONNECT, as net/http passes it for HTTP/2 and quic-go for
// HTTP/3.
func connectRequest(major int) *http.Request {
	r := httptest.NewRequest("CONNECT", "/ws", nil)
	r.URL.Host, r.Host = "", "example.com"
	r.Proto, r.ProtoMajor, r.ProtoMinor, r.ContentLength = "HTTP/2.0", 2, 0, -1
	r.Header = http.Header{"Sec-Websocket-Version": {"13"}, ":protocol": {"websocket"}}
	if major == 3 {
		r.Proto, r.ProtoMajor = "websocket", 3
		delete(r.Header, ":protocol")
	}
	return r
}

func TestConnect(t *testing.T) {
	terms, err := NewTerms([]string{"https://a.example"}, []string{"b"}, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		header http.Header
		want   http.Header
	}{
		{"plain", nil, http.Header{}},
		{"key", http.Header{"Sec-Websocket-Key": {"x"}, "Connection": {"close"}}, http.Header{}},
		{"origin", http.Header{"Origin": {"https://a.example"}}, http.Header{}},
		{"subprotocol", http.Header{"Sec-Websocket-Protocol": {"a, b"}}, http.Header{"Sec-Websocket-Protocol": {"b"}}},
		{"compression", http.Header{"Sec-Websocket-Extensions": {"permessage-deflate"}}, http.Header{
			"Sec-Websocket-Extensions": {"permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
		}},
	} {
		for _, major := range []int{2, 3} {
			r := connectRequest(major)
			for name, values := range test.header {
				r.Header[name] = values
			}
			if !IsHandshake(r) {
				t.Errorf("%s, HTTP/%d: no handshake", test.name, major)
			}
			got := answer(t, r, terms)
			if !equalHeaders(got, test.want) {
				t.Errorf("%s, HTTP/%d: got %q, want %q", test.name, major, got, test.want)
			}
		}
	}
}

func equalHeaders(a, b http.Header) bool {
	for name := range a {
		if !slices.Equal(a[name], b[name]) {
			return false
		}
	}
	return len(a) == len(b)
}

// A request that is no extended CONNECT to a WebSocket is not for us, whatever else it has.
func TestNoConnect(t *testing.T) {
	for _, test := range []struct {
		name   string
		major  int
		change func(*http.Request)
	}{
		{"no protocol", 2, func(r *http.Request) { delete(r.Header, ":protocol") }},
		{"other protocol", 2, func(r *http.Request) { r.Header[":protocol"] = []string{"connect-udp"} }},
		{"other case", 2, func(r *http.Request) { r.Header[":protocol"] = []string{"WebSocket"} }},
		{"two protocols", 2, func(r *http.Request) { r.Header[":protocol"] = []string{"websocket", "websocket"} }},
		{"GET", 2, func(r *http.Request) { r.Method = "GET" }},
		{"upgrade", 2, func(r *http.Request) { r.Method, r.Header = "GET", handshakeRequest().Header }},
		{"protocol as the version of HTTP/2", 2, func(r *http.Request) { delete(r.Header, ":protocol"); r.Proto = "websocket" }},
		{"no protocol, HTTP/3", 3, func(r *http.Request) { r.Proto = "HTTP/3.0" }},
		{"other protocol, HTTP/3", 3, func(r *http.Request) { r.Proto = "webtransport" }},
		{"GET, HTTP/3", 3, func(r *http.Request) { r.Method = "GET" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := connectRequest(test.major)
			test.change(r)
			if IsHandshake(r) {
				t.Error("a handshake")
			}
			if _, refused := Check(r, Terms{}); refused == nil || refused.Status != 505 {
				t.Errorf("got %v, want 505", refused)
			}
		})
	}
	r := connectRequest(2)
	r.ProtoMajor, r.ProtoMinor = 1, 1 // net/http does not read such a header
	if IsHandshake(r) {
		t.Error("a handshake over HTTP/1.1")
	}
}

// A refusal has no header of the connection, which would end it for other streams, or is forbidden
// (RFC 9113 §8.2.2).
func TestConnectRefusals(t *testing.T) {
	for _, test := range []struct {
		name   string
		header http.Header
		status int
		body   string
	}{
		{"version", http.Header{"Sec-Websocket-Version": {"8"}}, 426, "Sec-WebSocket-Version \"8\": must be 13, given once\n"},
		{"length", http.Header{"Content-Length": {"5"}}, 400, "a WebSocket handshake must have no Content-Length\n"},
		{"origin", http.Header{"Origin": {"https://b.example"}}, 403, "origin \"https://b.example\" is not allowed to connect to host \"example.com\"\n"},
		{"subprotocol", http.Header{"Sec-Websocket-Protocol": {"a b"}}, 400, "Sec-WebSocket-Protocol \"a b\": must be a token\n"},
		{"extension", http.Header{"Sec-Websocket-Extensions": {"a b"}}, 400, "malformed Sec-WebSocket-Extensions header: must be as in RFC 6455 §9.1\n"},
	} {
		for _, major := range []int{2, 3} {
			r := connectRequest(major)
			for name, values := range test.header {
				r.Header[name] = values
			}
			_, refused := Check(r, Terms{})
			if refused == nil {
				t.Errorf("%s, HTTP/%d: accepted", test.name, major)
				continue
			}
			w := httptest.NewRecorder()
			refused.Write(w, r)
			if w.Code != test.status || w.Body.String() != test.body {
				t.Errorf("%s, HTTP/%d: got %d %q", test.name, major, w.Code, w.Body)
			}
			h := w.Header()
			if len(h["Connection"])+len(h["Upgrade"]) > 0 {
				t.Errorf("%s, HTTP/%d: got %q", test.name, major, h)
			}
			if got := strings.Join(h["Sec-Websocket-Version"], ","); (got == "13") != (w.Code == 426) {
				t.Errorf("%s, HTTP/%d: Sec-WebSocket-Version %q", test.name, major, got)
			}
		}
	}
}
