package express_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/program"
)

// The answers of the two servers to the same request.
func testHandshakes(t *testing.T, express, app *server) {
	const (
		get        = "GET /ws HTTP/1.1"
		host       = "Host: localhost"
		connection = "Connection: Upgrade"
		upgrade    = "Upgrade: websocket"
		version    = "Sec-WebSocket-Version: 13"
		key        = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
	)
	for _, test := range []struct {
		name            string
		lines           []string
		express, wsecho string // the status, and the body unless it is a page
	}{
		{"other path", []string{"GET /chat HTTP/1.1", host, connection, upgrade, version, key}, "101", "404"},
		{"cross-origin", []string{get, host, connection, upgrade, version, key, "Origin: https://evil.example"}, "101", "403 origin \"https://evil.example\" is not allowed to connect to host \"localhost\"\n"},
		{"opaque origin", []string{get, host, connection, upgrade, version, key, "Origin: null"}, "101", "403 origin \"null\" is not allowed to connect to host \"localhost\"\n"},
		{"version 8", []string{get, host, connection, upgrade, "Sec-WebSocket-Version: 8", key}, "101", "426 Sec-WebSocket-Version \"8\": must be 13, given once\n"},
		{"version 12", []string{get, host, connection, upgrade, "Sec-WebSocket-Version: 12", key}, "400 Missing or invalid Sec-WebSocket-Version header", "426 Sec-WebSocket-Version \"12\": must be 13, given once\n"},
		{"no version", []string{get, host, connection, upgrade, key}, "400 Missing or invalid Sec-WebSocket-Version header", "426 Sec-WebSocket-Version \"\": must be 13, given once\n"},
		{"HTTP/1.0", []string{"GET /ws HTTP/1.0", host, connection, upgrade, version, key}, "101", "400 HTTP/1.0: a WebSocket handshake needs HTTP/1.1 (a proxy in front may have to be told to use it)\n"},
		{"body", []string{get, host, "Content-Length: 1", connection, upgrade, version, key}, "101", "400 a WebSocket handshake must have no body\n"},
		{"malformed extension", []string{get, host, connection, upgrade, version, key, "Sec-WebSocket-Extensions: a b"}, "101", "400 malformed Sec-WebSocket-Extensions header: must be as in RFC 6455 §9.1\n"},
		{"h2c on a route", []string{"GET /users HTTP/1.1", host, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"}, "400 Invalid Upgrade header", "200 respond with a resource"},
		{"POST to a route", []string{"POST /users HTTP/1.1", host, "Content-Length: 0"}, "404", "405 Method Not Allowed\n"},
		// Of these, only the text differs.
		{"POST", []string{"POST /ws HTTP/1.1", host, "Content-Length: 0", connection, upgrade, version, key}, "405 Invalid HTTP method", "405 method \"POST\": a WebSocket handshake must be a GET request\n"},
		{"no key", []string{get, host, connection, upgrade, version}, "400 Missing or invalid Sec-WebSocket-Key header", "400 0 Sec-WebSocket-Key headers: must be one\n"},
		{"short key", []string{get, host, connection, upgrade, version, "Sec-WebSocket-Key: Zm9v"}, "400 Missing or invalid Sec-WebSocket-Key header", "400 Sec-WebSocket-Key \"Zm9v\": must be 16 bytes in base64\n"},
		{"key twice", []string{get, host, connection, upgrade, version, key, key}, "400 Missing or invalid Sec-WebSocket-Key header", "400 2 Sec-WebSocket-Key headers: must be one\n"},
		{"malformed subprotocol", []string{get, host, connection, upgrade, version, key, "Sec-WebSocket-Protocol: a b"}, "400 Invalid Sec-WebSocket-Protocol header", "400 Sec-WebSocket-Protocol \"a b\": must be a token\n"},
		{"subprotocol twice", []string{get, host, connection, upgrade, version, key, "Sec-WebSocket-Protocol: a, a"}, "400 Invalid Sec-WebSocket-Protocol header", "400 Sec-WebSocket-Protocol \"a\": must not be offered twice\n"},
		// These do not differ.
		{"no Connection", []string{get, host, upgrade, version, key}, "404", "404"},
		{"no Upgrade", []string{get, host, connection, version, key}, "404", "404"},
		{"as it should be", []string{get, host, connection, upgrade, version, key}, "101", "101"},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := strings.Join(test.lines, "\r\n") + "\r\n\r\n"
			if got := answer(t, express, request); got != test.express {
				t.Errorf("express: got %q, want %q", got, test.express)
			}
			if got := answer(t, app, request); got != test.wsecho {
				t.Errorf("wsecho: got %q, want %q", got, test.wsecho)
			}
		})
	}
}

// answer sends the request and returns the status, and the body unless it is a page.
func answer(t *testing.T, s *server, request string) string {
	t.Helper()
	c := dialRaw(t, s)
	resp := roundTrip(t, c, request)
	if resp.StatusCode == http.StatusSwitchingProtocols || resp.StatusCode == http.StatusNotFound {
		return fmt.Sprint(resp.StatusCode)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, body)
}

// rawConn is a TCP connection to a server.
type rawConn struct {
	net.Conn
	r *bufio.Reader
}

func dialRaw(t *testing.T, s *server) rawConn {
	t.Helper()
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(program.Patience))
	return rawConn{c, bufio.NewReader(c)}
}

func roundTrip(t *testing.T, c rawConn, request string) *http.Response {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}
