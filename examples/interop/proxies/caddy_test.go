//go:build linux

package proxies_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
	"example.com/wsecho/middleware"
)

var caddy = &kind{
	name: "Caddy", config: "caddy/Caddyfile",
	run:        runCaddy,
	h2:         true,
	reload:     reloadCaddy,
	reloaded:   caddyCloses,
	terminated: anyEnd,
	broken: []broken{
		{"Host of the server", []edit{{"reverse_proxy 127.0.0.1:3000 {", "reverse_proxy 127.0.0.1:3000 {\nheader_up Host {upstream_hostport}"}}, "403 origin \"http://example.com:8080\" is not allowed to connect to host \"UPSTREAM\"\n", `status=403`},
	},
}

// caddyCloses is a close frame, to both sides. That for the server is not masked: the server logs
// 1002, unless the client's answer comes first.
var caddyCloses = closing{1001, "", `msg="WebSocket closed" remote=127.0.0.1 path=/ws code=100`}

func runCaddy(t *testing.T, p *proxy, upstream string, edits []edit) {
	path := program.Find(t, "caddy", "caddy")
	_, httpPort, _ := strings.Cut(p.http, ":")
	_, httpsPort, _ := strings.Cut(p.https, ":")
	edits = append(edits,
		edit{"reverse_proxy 127.0.0.1:3000", "reverse_proxy " + upstream},
		edit{"\nhttp://example.com {", fmt.Sprintf("\nhttp://:%s {\n\tbind 127.0.0.1", httpPort)},
		edit{"https://example.com {", fmt.Sprintf("https://:%s {\n\tbind 127.0.0.1", httpsPort)},
		edit{"/etc/ssl/certs/example.com.pem", p.certFile},
		edit{"/etc/ssl/private/example.com.key", p.keyFile},
	)
	if oldCaddy(t, path) {
		edits = append(edits, edit{"stream_close_delay 5m", ""})
	} else {
		later := *p.kind
		later.reloaded, later.terminated = closing{}, cut
		p.kind = &later
	}
	site := p.configure(t, edits...)
	main := p.write(t, "main", fmt.Sprintf(caddyMain, p.dir, httpPort, httpsPort, site))
	cmd := exec.Command(path, "run", "--adapter", "caddyfile", "--config", main)
	cmd.Stderr = p.log
	cmd.Env = append(os.Environ(), "HOME="+p.dir, "XDG_DATA_HOME="+p.dir, "XDG_CONFIG_HOME="+p.dir)
	p.process = program.StartDaemon(t, cmd)
	p.log.Want(t, "serving initial configuration")
}

// oldCaddy reports whether it is older than 2.7.
func oldCaddy(t *testing.T, path string) bool {
	t.Helper()
	version, err := exec.Command(path, "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	var major, minor int
	n, _ := fmt.Sscanf(strings.TrimPrefix(string(version), "v"), "%d.%d", &major, &minor)
	return n == 2 && major == 2 && minor < 7 // What was built from source may not know its version.
}

// caddyMain includes the configuration under test.
const caddyMain = `{
	admin unix/%[1]s/admin.sock
	auto_https disable_redirects
	http_port %[2]s
	https_port %[3]s
}
import %[4]s
`

func reloadCaddy(t *testing.T, p *proxy) {
	main := filepath.Join(p.dir, "main")
	cmd := exec.Command(program.Find(t, "caddy", "caddy"), "reload", "--force", "--adapter", "caddyfile", "--config", main, "--address", "unix/"+p.dir+"/admin.sock")
	cmd.Env = append(os.Environ(), "HOME="+p.dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// To a server with TLS, later versions of Caddy send the server's own name as Host.
func TestCaddyToTLS(t *testing.T) {
	t.Parallel()
	s := serveTLS(t, middleware.Options{})
	const (
		start = "reverse_proxy 127.0.0.1:3000 {"
		tls   = start + "\n\t\ttransport http {\n\t\t\ttls_insecure_skip_verify\n\t\t}\n"
		kept  = tls + "\t\theader_up Host {hostport}\n"
	)
	refused := fmt.Sprintf("403 origin \"https://example.com:8443\" is not allowed to connect to host %q\n", s.address)
	if oldCaddy(t, program.Find(t, "caddy", "caddy")) {
		refused = "101"
	}
	for conf, want := range map[string]string{tls: refused, kept: "101"} {
		p := caddy.start(t, "https://"+s.address, edit{start, conf})
		got := handshake(t, p, "wss://"+p.https, "example.com:8443", "https://example.com:8443")
		if got != want {
			t.Errorf("%s\ngot %q, want %q", conf, got, want)
		}
	}
}
