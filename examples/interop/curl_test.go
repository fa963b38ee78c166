package interop_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
	"example.com/wsecho/middleware"
)

// curl is what people try first when a WebSocket does not connect.
func TestCurl(t *testing.T) {
	curl := program.Find(t, "curl", "curl")
	s := serve(t, echo(middleware.Options{}).Handler(app()))
	const (
		connection = "Connection: Upgrade"
		upgrade    = "Upgrade: websocket"
		version    = "Sec-WebSocket-Version: 13"
		key        = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
		origin     = "Origin: https://evil.example"
	)
	for _, test := range []struct {
		name, path string
		options    []string
		headers    []string
		want       string // the status and the body
	}{
		{"route", "/users", nil, nil, "200 respond with a resource"},
		{"plain GET on the path", "/ws", nil, nil, "404 404 page not found\n"},
		{"POST on the path", "/ws", []string{"--data", "x"}, nil, "404 404 page not found\n"},
		{"HTTP/1.0", "/ws", []string{"--http1.0"}, []string{connection, upgrade, version, key}, "400 HTTP/1.0: a WebSocket handshake needs HTTP/1.1 (a proxy in front may have to be told to use it)\n"},
		{"handshake by POST", "/ws", []string{"--data", "x"}, []string{connection, upgrade, version, key}, "405 method \"POST\": a WebSocket handshake must be a GET request\n"},
		{"no version", "/ws", nil, []string{connection, upgrade, key}, "426 Sec-WebSocket-Version \"\": must be 13, given once\n"},
		{"no key", "/ws", nil, []string{connection, upgrade, version}, "400 0 Sec-WebSocket-Key headers: must be one\n"},
		{"no Connection", "/ws", nil, []string{upgrade, version, key}, "404 404 page not found\n"},
		{"no Upgrade", "/ws", nil, []string{connection, version, key}, "404 404 page not found\n"},
		{"h2c", "/users", []string{"--http2"}, nil, "200 respond with a resource"},
		{"cross-origin", "/ws", nil, []string{connection, upgrade, version, key, origin, "Host: localhost"}, "403 origin \"https://evil.example\" is not allowed to connect to host \"localhost\"\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := append(test.options, s.URL+test.path)
			for _, h := range test.headers {
				args = append(args, "--header", h)
			}
			if got := runCurl(t, curl, args); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// runCurl returns the status and the body.
func runCurl(t *testing.T, curl string, args []string) string {
	t.Helper()
	args = append([]string{
		"--disable", "--noproxy", "*", "--silent", "--show-error",
		"--max-time", fmt.Sprint(timeout.Seconds()), "--write-out", "\n%{http_code}",
	}, args...)
	out, err := exec.CommandContext(t.Context(), curl, args...).Output()
	if err != nil {
		t.Fatalf("curl %q: %v\n%s", args, err, out)
	}
	end := strings.LastIndexByte(string(out), '\n')
	return string(out[end+1:]) + " " + string(out[:end])
}
