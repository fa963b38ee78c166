//go:build linux

package proxies_test

import (
	"fmt"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/program"
	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
)

var apache = &kind{
	name: "Apache", config: "apache/wsecho.conf",
	run:  runApache,
	idle: []edit{{"\n    Timeout 75", "\n    Timeout 2"}},
	h2:   true, connect: true,
	reload: func(t *testing.T, p *proxy) {
		p.insist(t, syscall.SIGUSR1, "Doing graceful restart")
	},
	terminated: cut,
	quit:       syscall.SIGWINCH,
	bound:      []edit{{"GracefulShutdownTimeout 600", "GracefulShutdownTimeout 1"}},
	broken: []broken{
		{"no upgrade", []edit{{`/" upgrade=websocket`, `/"`}}, passedOn, noUpgrade},
		{"no Host", []edit{{"ProxyPreserveHost On", ""}}, "403 origin \"http://example.com:8080\" is not allowed to connect to host \"UPSTREAM\"\n", `status=403`},
	},
}

func runApache(t *testing.T, p *proxy, upstream string, edits []edit) {
	path := program.Find(t, "apache2", "apache2-bin")
	site := p.configure(t, append([]edit{
		{"127.0.0.1:3000", upstream},
		{"<VirtualHost *:80>", "<VirtualHost " + p.http + ">"},
		{"<VirtualHost *:443>", "<VirtualHost " + p.https + ">"},
		{"/etc/ssl/certs/example.com.pem", p.certFile},
		{"/etc/ssl/private/example.com.key", p.keyFile},
	}, edits...)...)
	main := fmt.Sprintf(apacheMain, p.dir, p.http, p.https, site)
	cmd := exec.Command(path, "-f", p.write(t, "main.conf", main), "-DFOREGROUND")
	cmd.Stderr = p.log
	p.process = program.StartDaemon(t, cmd)
	p.log.Want(t, "resuming normal operations") // It is listening.
}

// apacheMain includes the configuration under test. It runs as any user.
const apacheMain = `ServerRoot %[1]s
DefaultRuntimeDir %[1]s
PidFile %[1]s/apache2.pid
User www-data
Group www-data
ServerName localhost
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule http2_module /usr/lib/apache2/modules/mod_http2.so
LoadModule macro_module /usr/lib/apache2/modules/mod_macro.so
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
ErrorLog /dev/stderr
LogLevel info
Listen %[2]s
Listen %[3]s
Include %[4]s
`

// Each WebSocket occupies a thread: beyond MaxRequestWorkers, handshakes wait.
func TestApacheThreads(t *testing.T) {
	t.Parallel()
	s := serve(t, middleware.Options{})
	p := apache.start(t, s.address, edit{"GracefulShutdownTimeout 600", `
ServerLimit 1
StartServers 1
ThreadsPerChild 2
MaxRequestWorkers 2`})
	for range 2 {
		wantEcho(t, p.dial(t))
	}
	impatient := websocket.Dialer{HandshakeTimeout: time.Second} // There is no event to wait for.
	if c, _, err := impatient.Dial("ws://"+p.http+"/ws", nil); err == nil {
		_ = c.Close()
		t.Error("a third one is served")
	}
}
