//go:build linux

package nginx_test

import (
	"testing"

	"example.com/wsecho/middleware"
)

// What happens if the configuration lacks a line, and what the server logs.
func TestBrokenConfiguration(t *testing.T) {
	const (
		version    = "proxy_http_version 1.1;"
		upgrade    = "proxy_set_header Upgrade $http_upgrade;"
		connection = "proxy_set_header Connection $connection_upgrade;"
		host       = "proxy_set_header Host $http_host;"
		passedOn   = "404 404 page not found\n"
		http10     = "HTTP/1.0: a WebSocket handshake needs HTTP/1.1 " +
			"(a proxy in front may have to be told to use it)"
	)
	for _, test := range []struct {
		name  string
		edits []edit
		want  string
		log   string
	}{
		{"no Upgrade", []edit{{upgrade, ""}}, passedOn, `level=WARN msg="WebSocket handshake without \"Upgrade: websocket\": a proxy in front has probably removed it, and must be told to forward Upgrade and Connection" remote=127.0.0.1 path=/ws`},
		{"no Connection", []edit{{connection, ""}}, passedOn, `level=WARN msg="WebSocket handshake without \"Connection: Upgrade\": a proxy in front has probably removed it, and must be told to forward Upgrade and Connection" remote=127.0.0.1 path=/ws`},
		{"neither", []edit{{upgrade, ""}, {connection, ""}}, passedOn, `level=WARN msg="WebSocket handshake without \"Upgrade: websocket\": a proxy in front has probably removed it, and must be told to forward Upgrade and Connection" remote=127.0.0.1 path=/ws`},
		{"HTTP/1.0", []edit{{version, "proxy_http_version 1.0;"}}, "400 " + http10 + "\n", `level=WARN msg="WebSocket handshake refused" remote=127.0.0.1 path=/ws status=400 reason="` + http10 + `"`},
		{"nothing but proxy_pass", []edit{{version, "proxy_http_version 1.0;"}, {upgrade, ""}, {connection, ""}}, passedOn, `level=WARN msg="WebSocket handshake without \"Upgrade: websocket\": a proxy in front has probably removed it, and must be told to forward Upgrade and Connection" remote=127.0.0.1 path=/ws`},
		{"Host without port", []edit{{host, "proxy_set_header Host $host;"}}, "403 origin \"http://example.com:8080\" is not allowed to connect to host \"example.com\"\n", `status=403`},
		{"no Host", []edit{{host, ""}}, "403 origin \"http://example.com:8080\" is not allowed to connect to host \"wsecho\"\n", `status=403`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, middleware.Options{})
			p := start(t, s.address, test.edits...)
			got := handshake(t, p, "ws://"+p.http, "example.com:8080", "http://example.com:8080")
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			s.log.Want(t, test.log)
		})
	}
}
