package handshake

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Check says what is wrong with a request, and Write makes it a response.
func TestRefusals(t *testing.T) {
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
		{"HTTP/2", func(r *http.Request) { r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0 }, 505, nil, "HTTP/2: a WebSocket handshake must be a GET request over HTTP/1.1, or a CONNECT request with :protocol websocket\n"},
		{"HTTP/1.0", func(r *http.Request) { r.Proto, r.ProtoMinor = "HTTP/1.0", 0 }, 400, http.Header{"Connection": {"close"}}, "HTTP/1.0: a WebSocket handshake needs HTTP/1.1 (a proxy in front may have to be told to use it)\n"},
		{"key with another alphabet", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "__________________________==") }, 400, nil, "Sec-WebSocket-Key \"__________________________==\": must be 16 bytes in base64\n"},
		{"key one byte short", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j") }, 400, nil, "Sec-WebSocket-Key \"dGhlIHNhbXBsZSBub25j\": must be 16 bytes in base64\n"},
		{"key one byte long", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZSE=") }, 400, nil, "Sec-WebSocket-Key \"dGhlIHNhbXBsZSBub25jZSE=\": must be 16 bytes in base64\n"},
		{"key of any length", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", strings.Repeat("x", 1<<20)) }, 400, nil, "Sec-WebSocket-Key \"" + strings.Repeat("x", 100) + "\": must be 16 bytes in base64\n"},
		{"one letter off", func(r *http.Request) { r.Header.Set("Upgrade", "websockets") }, 426, nil, "WebSocket handshake without \"Upgrade: websocket\": a proxy in front has probably removed it, and must be told to forward Upgrade and Connection\n"},
		{"Upgrade only", func(r *http.Request) { r.Header = http.Header{"Upgrade": {"websocket"}} }, 426, nil, "this is a WebSocket endpoint: send a handshake with \"Connection: Upgrade\" and \"Upgrade: websocket\"\n"},
		{"HEAD", func(r *http.Request) { r.Method = "HEAD" }, 405, http.Header{"Allow": {"GET"}}, "method \"HEAD\": a WebSocket handshake must be a GET request\n"},
		{"method of any length", func(r *http.Request) { r.Method = strings.Repeat("x", 1<<20) }, 405, nil, "method \"" + strings.Repeat("x", 100) + "\": a WebSocket handshake must be a GET request\n"},
		{"HTTP/3", func(r *http.Request) { r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/3.0", 3, 0 }, 505, nil, "HTTP/3: a WebSocket handshake must be a GET request over HTTP/1.1, or a CONNECT request with :protocol websocket\n"},
		{"HTTP/0.9", func(r *http.Request) { r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/0.9", 0, 9 }, 400, nil, "HTTP/0.9: a WebSocket handshake needs HTTP/1.1 (a proxy in front may have to be told to use it)\n"},
		{"body", func(r *http.Request) { r.ContentLength = 2 }, 400, http.Header{"Connection": {"close"}}, "a WebSocket handshake must have no body\n"},
		{"body of unknown length", func(r *http.Request) { r.ContentLength = -1 }, 400, nil, "a WebSocket handshake must have no body\n"},
		{"chunked body", func(r *http.Request) { r.TransferEncoding = []string{"chunked"} }, 400, nil, "a WebSocket handshake must have no body\n"},
		{"no version", func(r *http.Request) { r.Header.Del("Sec-WebSocket-Version") }, 426, http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}}, "Sec-WebSocket-Version \"\": must be 13, given once\n"},
		{"version 8", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Version", "8") }, 426, http.Header{"Sec-Websocket-Version": {"13"}}, "Sec-WebSocket-Version \"8\": must be 13, given once\n"},
		{"version 13 twice", func(r *http.Request) { r.Header.Add("Sec-WebSocket-Version", "13") }, 426, nil, "Sec-WebSocket-Version \"13, 13\": must be 13, given once\n"},
		{"no key", func(r *http.Request) { r.Header.Del("Sec-WebSocket-Key") }, 400, http.Header{"Connection": {"close"}}, "0 Sec-WebSocket-Key headers: must be one\n"},
		{"two keys", func(r *http.Request) { r.Header.Add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==") }, 400, nil, "2 Sec-WebSocket-Key headers: must be one\n"},
		{"key with line ends", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j\r\n\r\n") }, 400, nil, "Sec-WebSocket-Key \"dGhlIHNhbXBsZSBub25j\\r\\n\\r\\n\": must be 16 bytes in base64\n"},
		{"other origin", func(r *http.Request) { r.Header.Set("Origin", "https://b.example") }, 403, nil, "origin \"https://b.example\" is not allowed to connect to host \"example.com\"\n"},
		{"two origins", func(r *http.Request) { r.Header["Origin"] = []string{"http://example.com", "http://example.com"} }, 403, nil, "2 Origin headers: only one is allowed\n"},
		{"malformed origin", func(r *http.Request) { r.Header.Set("Origin", "example.com") }, 403, nil, "origin \"example.com\": must be scheme://host[:port]\n"},
		{"malformed subprotocol", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Protocol", "a b") }, 400, nil, "Sec-WebSocket-Protocol \"a b\": must be a token\n"},
		{"subprotocol twice", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Protocol", "a, b, a") }, 400, nil, "Sec-WebSocket-Protocol \"a\": must not be offered twice\n"},
		{"malformed extension", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Extensions", "a b") }, 400, nil, "malformed Sec-WebSocket-Extensions header: must be as in RFC 6455 §9.1\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := handshakeRequest()
			test.change(r)
			agreed, refused := Check(r, Terms{compression: true})
			if refused == nil {
				t.Fatalf("agreed on %+v, want %d %q", agreed, test.status, test.body)
			}
			w := httptest.NewRecorder()
			refused.Write(w, r)
			if w.Code != test.status || w.Body.String() != test.body {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body, test.status, test.body)
			}
			for name, want := range test.header {
				if got := w.Header()[name]; !slices.Equal(got, want) {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if agreed != (Agreement{}) {
				t.Errorf("refused, but agreed on %+v", agreed)
			}
		})
	}
}

// A refusal that others make is written with the headers that its status calls for.
func TestRefusalWrite(t *testing.T) {
	for _, test := range []struct {
		status int
		want   string // the whole response
	}{
		{400, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n\r\nbecause \"x\"\n"},
		{403, "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n\r\nbecause \"x\"\n"},
		{503, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\nX-Content-Type-Options: nosniff\r\n\r\nbecause \"x\"\n"},
	} {
		w := httptest.NewRecorder()
		Refusef(test.status, "because %q", "x").Write(w, handshakeRequest())
		resp := w.Result()
		var got strings.Builder
		got.WriteString(resp.Proto + " " + resp.Status + "\r\n")
		if err := resp.Header.Write(&got); err != nil {
			t.Fatal(err)
		}
		got.WriteString("\r\n" + w.Body.String())
		if got.String() != test.want {
			t.Errorf("got %q, want %q", got.String(), test.want)
		}
	}
}

// Where a body is announced, the connection is closed in HTTP/1.x. In HTTP/2, that would close it
// for other requests too.
func TestRefusalConnection(t *testing.T) {
	body := func(r *http.Request) { r.ContentLength = 1000 }
	chunked := func(r *http.Request) { r.ContentLength, r.TransferEncoding = -1, []string{"chunked"} }
	http2 := func(r *http.Request) { r.ContentLength, r.ProtoMajor, r.ProtoMinor = -1, 2, 0 }
	for _, test := range []struct {
		name   string
		change func(*http.Request)
		status int
		want   string
	}{
		{"no body", func(*http.Request) {}, 405, "keep-alive"},
		{"no body", func(*http.Request) {}, 426, "Upgrade"},
		{"no body", func(*http.Request) {}, 400, "close"},
		{"body", body, 400, "close"},
		{"body", body, 403, "close"},
		{"body", body, 405, "close"},
		{"body", body, 426, "close, Upgrade"},
		{"body", body, 500, "close"},
		{"body", body, 503, "close"},
		{"chunked", chunked, 405, "close"},
		{"chunked", chunked, 426, "close, Upgrade"},
		{"HTTP/2", http2, 405, "keep-alive"},
		{"HTTP/2", http2, 505, "keep-alive"},
	} {
		r := handshakeRequest()
		test.change(r)
		w := httptest.NewRecorder()
		w.Header().Set("Connection", "keep-alive") // by an outer layer
		Refusef(test.status, "because").Write(w, r)
		if got := strings.Join(w.Header()["Connection"], ", "); got != test.want {
			t.Errorf("%s, %d: %q, want %q", test.name, test.status, got, test.want)
		}
	}
}

// net/http sends a refusal without waiting for the body that the request announces.
func TestRefusalBeforeBody(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, refused := Check(r, Terms{})
		if status, err := strconv.Atoi(r.URL.Query().Get("status")); err == nil {
			refused = Refusef(status, "because") // one that Check finds only without a body
		}
		refused.Write(w, r)
	}))
	defer s.Close()
	for _, test := range []struct {
		name, head, status, connection string
	}{
		{"POST", "POST / HTTP/1.1\r\nHost: localhost\r\n", "HTTP/1.1 405 ", "close"},
		{"POST to upgrade", "POST / HTTP/1.1\r\n" + handshakeLines, "HTTP/1.1 405 ", "close"},
		{"GET", "GET / HTTP/1.1\r\nHost: localhost\r\n", "HTTP/1.1 426 ", "close, Upgrade"},
		{"GET to upgrade", "GET / HTTP/1.1\r\n" + handshakeLines, "HTTP/1.1 400 ", "close"},
		{"other origin", "GET / HTTP/1.1\r\n" + handshakeLines + "Origin: http://b.example\r\n", "HTTP/1.1 400 ", "close"},
		{"403", "GET /?status=403 HTTP/1.1\r\n" + handshakeLines, "HTTP/1.1 403 ", "close"},
		{"503", "GET /?status=503 HTTP/1.1\r\n" + handshakeLines, "HTTP/1.1 503 ", "close"},
	} {
		for _, body := range []string{"Content-Length: 1000", "Transfer-Encoding: chunked"} {
			t.Run(test.name+" "+body, func(t *testing.T) {
				status, header := responseHead(t, s, test.head+body+"\r\n\r\n")
				connection := strings.Join(header["Connection"], ", ")
				if !strings.HasPrefix(status, test.status) || connection != test.connection {
					t.Errorf("got %q, Connection: %q", status, connection)
				}
			})
		}
	}
}

// responseHead sends the head of a request and returns the head of the response as it came:
// http.ReadResponse would remove "Connection: close".
func responseHead(t *testing.T, s *httptest.Server, head string) (string, textproto.MIMEHeader) {
	t.Helper()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, head); err != nil {
		t.Fatal(err)
	}
	r := textproto.NewReader(bufio.NewReader(c))
	status, err := r.ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	header, err := r.ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	return status, header
}
