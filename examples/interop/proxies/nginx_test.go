//go:build linux

package proxies_test

import (
	"fmt"
	"os/exec"
	"os/user"
	"path/filepath"
	"syscall"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

var nginx = &kind{
	name: "nginx", config: "nginx/nginx.conf",
	run:    runNginx,
	idle:   []edit{{"proxy_read_timeout 75s;", "proxy_read_timeout 2s;"}},
	cutLog: "upstream timed out (110: Connection timed out) while proxying upgraded connection",
	second: func(upstream string) edit {
		return edit{"keepalive 16;", "server " + upstream + " max_fails=0; keepalive 16;"}
	},
	h2: true,
	reload: func(t *testing.T, p *proxy) {
		p.insist(t, syscall.SIGHUP, "gracefully shutting down") // the old worker
	},
	terminated: cut,
	quit:       syscall.SIGQUIT,
	broken:     nginxBroken,
}

func runNginx(t *testing.T, p *proxy, upstream string, edits []edit) {
	path := program.Find(t, "nginx", "nginx")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	site := p.configure(t, append([]edit{
		{"server 127.0.0.1:3000 ", "server " + upstream + " "},
		{"listen 80;", "listen " + p.http + ";"},
		{"listen 443 ssl ", "listen " + p.https + " ssl "},
		{"/etc/ssl/certs/example.com.pem", p.certFile},
		{"/etc/ssl/private/example.com.key", p.keyFile},
	}, edits...)...)
	p.write(t, "main.conf", fmt.Sprintf(nginxMain, me.Username, p.dir, site))
	cmd := exec.Command(path, "-p", p.dir, "-c", filepath.Join(p.dir, "main.conf"), "-e", "stderr")
	cmd.Stderr = p.log
	p.process = program.StartDaemon(t, cmd)
	p.log.Want(t, "start worker process ") // It is listening.
}

// nginxMain includes the configuration under test. It runs as any user.
const nginxMain = `daemon off;
user %s;
worker_processes 1;
error_log stderr info; # At info, it logs why it cuts connections.
pid nginx.pid;
events {}
http {
	access_log off;
	client_body_temp_path %[2]s/body;
	proxy_temp_path %[2]s/proxy;
	fastcgi_temp_path %[2]s/fastcgi;
	scgi_temp_path %[2]s/scgi;
	uwsgi_temp_path %[2]s/uwsgi;
	include %[3]s;
}
`

const (
	passedOn = "404 404 page not found\n"
	removed  = `level=WARN msg="WebSocket handshake without \"%s\": a proxy in front has ` +
		`probably removed it, and must be told to forward Upgrade and Connection" remote=127.0.0.1 path=/ws`
	http10 = "HTTP/1.0: a WebSocket handshake needs HTTP/1.1 " +
		"(a proxy in front may have to be told to use it)"
)

var noUpgrade, noConnection = fmt.Sprintf(removed, "Upgrade: websocket"), fmt.Sprintf(removed, "Connection: Upgrade")

var nginxBroken = []broken{
	{"no Upgrade", []edit{nginxUpgrade}, passedOn, noUpgrade},
	{"no Connection", []edit{nginxConnection}, passedOn, noConnection},
	{"neither", []edit{nginxUpgrade, nginxConnection}, passedOn, noUpgrade},
	{"HTTP/1.0", []edit{nginxVersion}, "400 " + http10 + "\n", `level=WARN msg="WebSocket handshake refused" remote=127.0.0.1 path=/ws status=400 reason="` + http10 + `"`},
	{"nothing but proxy_pass", []edit{nginxVersion, nginxUpgrade, nginxConnection}, passedOn, noUpgrade},
	{"Host without port", []edit{{nginxHost.old, "proxy_set_header Host $host;"}}, "403 origin \"http://example.com:8080\" is not allowed to connect to host \"example.com\"\n", `status=403`},
	{"no Host", []edit{nginxHost}, "403 origin \"http://example.com:8080\" is not allowed to connect to host \"wsecho\"\n", `status=403`},
}

var (
	nginxVersion    = edit{"proxy_http_version 1.1;", "proxy_http_version 1.0;"}
	nginxUpgrade    = edit{"proxy_set_header Upgrade $http_upgrade;", ""}
	nginxConnection = edit{"proxy_set_header Connection $connection_upgrade;", ""}
	nginxHost       = edit{"proxy_set_header Host $http_host;", ""}
)
