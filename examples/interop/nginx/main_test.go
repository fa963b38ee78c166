//go:build linux

// Package nginx_test tests wsecho behind nginx, with the configuration in examples/nginx.
package nginx_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/leak"
	"example.com/wsecho/examples/interop/internal/program"
	"github.com/gorilla/websocket"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

// proxy is a running nginx.
type proxy struct {
	http, https string // where it listens, host:port
	log         *program.Log
	certificate
}

// An edit is a replacement in the configuration.
type edit struct{ old, new string }

// start runs nginx in front of the server at upstream, with the configuration in examples/nginx
// except for addresses, the certificate, and the edits.
func start(t *testing.T, upstream string, edits ...edit) *proxy {
	t.Helper()
	path := program.Find(t, "nginx", "nginx")
	dir := t.TempDir()
	p := &proxy{reserve(t), reserve(t), program.NewLog(), selfSign(t, dir)}
	site := configure(t, append([]edit{
		{"server 127.0.0.1:3000;", "server " + upstream + ";"},
		{"listen 80;", "listen " + p.http + ";"},
		{"listen 443 ssl;", "listen " + p.https + " ssl;"},
		{"/etc/ssl/certs/example.com.pem", p.certFile},
		{"/etc/ssl/private/example.com.key", p.keyFile},
	}, edits...)...)
	writeFile(t, filepath.Join(dir, "site.conf"), site)
	writeFile(t, filepath.Join(dir, "nginx.conf"), fmt.Sprintf(mainConf, dir))
	cmd := exec.Command(path, "-p", dir, "-c", "nginx.conf", "-e", "stderr")
	cmd.Stderr = p.log
	program.Start(t, cmd)
	p.log.Want(t, "event method") // It is listening.
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("nginx logged:\n%s", p.log)
		}
	})
	return p
}

// mainConf includes the configuration under test. It runs one process, in the foreground, as any
// user.
const mainConf = `daemon off;
master_process off;
error_log stderr info; # At info, it logs why it cuts connections.
pid nginx.pid;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	scgi_temp_path %[1]s/scgi;
	uwsgi_temp_path %[1]s/uwsgi;
	include %[1]s/site.conf;
}
`

// configure applies the edits to the configuration. Each must match once.
func configure(t *testing.T, edits ...edit) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "nginx", "nginx.conf"))
	if err != nil {
		t.Fatal(err)
	}
	conf := string(b)
	for _, e := range edits {
		if n := strings.Count(conf, e.old); n != 1 {
			t.Fatalf("nginx.conf has %q %d times, want once", e.old, n)
		}
		conf = strings.Replace(conf, e.old, e.new, 1)
	}
	return conf
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reserve returns an address that no other socket takes before nginx does. It binds a socket to the
// address that does not listen: on Linux, another one can still bind to it if both have
// SO_REUSEADDR, as those of nginx do.
func reserve(t *testing.T) (address string) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	bind := &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := errors.Join(
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1),
		syscall.Bind(fd, bind),
	); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", bound.(*syscall.SockaddrInet4).Port)
}

// dialer trusts the certificate of the proxy.
func (p *proxy) dialer() *websocket.Dialer {
	return &websocket.Dialer{HandshakeTimeout: program.Patience, TLSClientConfig: p.trust()}
}

// dial connects through the proxy.
func (p *proxy) dial(t *testing.T) *websocket.Conn {
	t.Helper()
	c, _, err := p.dialer().Dial("ws://"+p.http+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(program.Patience))
	return c
}
