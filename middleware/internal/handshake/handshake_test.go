package handshake

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// handshakeLines are the headers of a client's handshake, with the key of RFC 6455 §1.3.
const handshakeLines = "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// readRequest returns a GET request with the header lines, as net/http reads it.
func readRequest(t *testing.T, lines string) *http.Request {
	t.Helper()
	head := "GET /ws HTTP/1.1\r\n" + lines + "\r\n"
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
	if err != nil {
		t.Fatal(err)
	}
	return r
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

// answer returns the headers that answer a request, which has to be accepted.
func answer(t *testing.T, r *http.Request, terms Terms) http.Header {
	t.Helper()
	agreed, refused := Check(r, terms)
	if refused != nil {
		t.Fatalf("refused with %d %s", refused.Status, refused.Reason)
	}
	h := http.Header{}
	agreed.SetHeader(h)
	return h
}

func TestNewTerms(t *testing.T) {
	type list = []string
	for _, test := range []struct {
		name                  string
		origins, subprotocols list
		want                  string // the error, empty for none
	}{
		{"zero", nil, nil, ""},
		{"subprotocols", nil, list{"a", "A", "v1.a-b_c!#$%&'*+^`|~"}, ""},
		{"empty subprotocol", nil, list{"a", ""}, `subprotocol "": must be a token (RFC 9110 §5.6.2)`},
		{"subprotocol with a comma", nil, list{"a,b"}, `subprotocol "a,b": must be a token (RFC 9110 §5.6.2)`},
		{"Unicode subprotocol", nil, list{"ä"}, `subprotocol "ä": must be a token (RFC 9110 §5.6.2)`},
		{"subprotocol", nil, list{"a b"}, `subprotocol "a b": must be a token (RFC 9110 §5.6.2)`},
		{"subprotocol twice", nil, list{"a", "a"}, `subprotocol "a": must not be listed twice`},
		{"origins", list{"*", "null", "a.example", "*.a.example", "https://a.example:8443", "http://localhost:*", "http://[::1]:3000"}, nil, ""},
		{"empty origin", list{""}, nil, `origin pattern "": has no host`},
		{"origin without host", list{"https://"}, nil, `origin pattern "https://": has no host`},
		{"origin with port only", list{":3000"}, nil, `origin pattern ":3000": has no host`},
		{"origin without scheme", list{"://a.example"}, nil, `origin pattern "://a.example": has no scheme before ://`},
		{"origin with path", list{"https://a.example/"}, nil, `origin pattern "https://a.example/": must be [scheme://]host[:port] and nothing else`},
		{"origin with star inside", list{"a.*.example"}, nil, `origin pattern "a.*.example": may have a "*" only as the first label of the host or as the port`},
		{"origin with a bare IPv6 address", list{"http://::1"}, nil, `origin pattern "http://::1": has a malformed host`},
		{"origin with a Kelvin sign", list{"\u212a.example"}, nil, "origin pattern \"\u212a.example\": has a malformed host"},
		{"origin with a dotted capital I", list{"İ.example"}, nil, `origin pattern "İ.example": has a malformed host`},
		{"origin with a Unicode host", list{"http://grüße.example"}, nil, `origin pattern "http://grüße.example": has a malformed host`},
		{"origin with bad port", list{"a.example:http"}, nil, `origin pattern "a.example:http": has a malformed port`},
		{"origin with a port too large", list{"a.example:65536"}, nil, `origin pattern "a.example:65536": has a malformed port`},
		{"origin with star as the last label", list{"https://a.*"}, nil, `origin pattern "https://a.*": may have a "*" only as the first label of the host or as the port`},
		{"origin with user", list{"https://u@a.example"}, nil, `origin pattern "https://u@a.example": must be [scheme://]host[:port] and nothing else`},
		{"second origin", list{"*", ""}, nil, `origin pattern "": has no host`},
		{"origin before subprotocol", list{""}, list{""}, `origin pattern "": has no host`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if _, err := NewTerms(test.origins, test.subprotocols, true); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Terms do not change with the slices they are made from.
func TestTermsCopy(t *testing.T) {
	origins, subprotocols := []string{"b.example"}, []string{"b", "a"}
	terms, err := NewTerms(origins, subprotocols, false)
	if err != nil {
		t.Fatal(err)
	}
	origins[0], subprotocols[0] = "c.example", "c"
	const lines = "Origin: http://b.example\r\nSec-WebSocket-Protocol: a, b\r\n"
	h := answer(t, readRequest(t, handshakeLines+lines), terms)
	if got := h.Get("Sec-WebSocket-Protocol"); got != "b" {
		t.Errorf("got %q, want b", got)
	}
}

// Empty list elements are legal (RFC 9110 §5.6.1.2), and headers may be spread over lines.
func TestTokenLists(t *testing.T) {
	h := answer(t, readRequest(t, "Host: localhost\r\nConnection: , keep-alive\r\nConnection: ,UPGRADE,\r\n"+
		"Upgrade: ,,WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), Terms{})
	if got := h.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("Sec-WebSocket-Accept: %q", got)
	}
}

// IsHandshake and CheckStripped tell handshakes from other requests, before anything is refused.
func TestIsHandshake(t *testing.T) {
	const (
		upgrade    = `WebSocket handshake without "Upgrade: websocket": a proxy in front has probably removed it, and must be told to forward Upgrade and Connection`
		connection = `WebSocket handshake without "Connection: Upgrade": a proxy in front has probably removed it, and must be told to forward Upgrade and Connection`
		key        = "Sec-WebSocket-Key: x\r\n"
	)
	for _, test := range []struct {
		name, lines string
		upgrade     bool
		stripped    string // the error, empty for none
	}{
		{"plain", "", false, ""},
		{"minimal", "Connection: Upgrade\r\nUpgrade: websocket\r\n", true, ""},
		{"with key", "Connection: Upgrade\r\nUpgrade: websocket\r\n" + key, true, ""},
		{"lists", "Connection: keep-alive\r\nConnection: x,\tupgrade\r\nUpgrade: h2c, WebSocket\r\n" + key, true, ""},
		{"other protocol", "Connection: Upgrade\r\nUpgrade: h2c\r\n", false, ""},
		{"other protocol with key", "Connection: Upgrade\r\nUpgrade: h2c\r\n" + key, false, upgrade},
		{"part of a token", "Connection: Upgrades\r\nUpgrade: websocket\r\n" + key, false, connection},
		{"parts of a token", "Connection: Upgrade\r\nUpgrade: web socket\r\n" + key, false, upgrade},
		{"no Upgrade", "Connection: Upgrade\r\n" + key, false, upgrade},
		{"no Connection", "Upgrade: websocket\r\n" + key, false, connection},
		{"neither", key, false, upgrade},
		{"neither nor a key", "Connection: keep-alive\r\n", false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := readRequest(t, "Host: localhost\r\n"+test.lines)
			if got := IsHandshake(r); got != test.upgrade {
				t.Errorf("IsHandshake: %v", got)
			}
			got := ""
			if err := CheckStripped(r); err != nil {
				got = err.Error()
			}
			if got != test.stripped {
				t.Errorf("CheckStripped: %q, want %q", got, test.stripped)
			}
		})
	}
}

// SetHeader replaces what outer layers have set for the headers of the handshake, and no more.
func TestSetHeader(t *testing.T) {
	terms, err := NewTerms(nil, []string{"b"}, true)
	if err != nil {
		t.Fatal(err)
	}
	const deflate = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n"
	for _, test := range []struct {
		name, lines, want string
	}{
		{"nothing agreed", "", "Connection: Upgrade\r\nSec-Websocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nUpgrade: websocket\r\nX-Outer: 1\r\n"},
		{"subprotocol", "Sec-WebSocket-Protocol: a, b\r\n", "Connection: Upgrade\r\nSec-Websocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-Websocket-Protocol: b\r\nUpgrade: websocket\r\nX-Outer: 1\r\n"},
		{"extension", deflate, "Connection: Upgrade\r\nSec-Websocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-Websocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9\r\nUpgrade: websocket\r\nX-Outer: 1\r\n"},
		{"close", "Connection: close\r\n", "Connection: Upgrade, close\r\nSec-Websocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nUpgrade: websocket\r\nX-Outer: 1\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			agreed, refused := Check(readRequest(t, handshakeLines+test.lines), terms)
			if refused != nil {
				t.Fatalf("refused with %d %s", refused.Status, refused.Reason)
			}
			h := http.Header{
				"X-Outer": {"1"}, "Connection": {"keep-alive"}, "Upgrade": {"h2c", "h3c"},
				"Sec-Websocket-Accept": {"bogus"}, "Sec-Websocket-Protocol": {"bogus", "b"},
				"Sec-Websocket-Extensions": {"bogus"},
			}
			agreed.SetHeader(h)
			var got strings.Builder
			if err := h.Write(&got); err != nil || got.String() != test.want {
				t.Errorf("got %q, want %q", got.String(), test.want)
			}
		})
	}
}
