//go:build linux

package proxies_test

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

var reverseProxy = &kind{
	name: "ReverseProxy", config: "reverseproxy/main.go",
	run:        runReverseProxy,
	h2:         true,
	terminated: cut,
	quit:       syscall.SIGTERM,
	bound:      []edit{{"10*time.Second, \"how long", "time.Second, \"how long"}},
	broken: []broken{
		{"no Host", []edit{{"r.Out.Host = r.In.Host", ""}}, "403 origin \"http://example.com:8080\" is not allowed to connect to host \"UPSTREAM\"\n", `status=403`},
	},
}

// runReverseProxy runs two, one for each address.
func runReverseProxy(t *testing.T, p *proxy, upstream string, edits []edit) {
	path := filepath.Join(p.dir, "reverseproxy")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", path, p.configure(t, edits...))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	start := func(addr string, args ...string) *program.Process {
		cmd := exec.Command(path, append(args, "-addr", addr, "-upstream", "http://"+upstream)...)
		cmd.Stderr = p.log
		process := program.StartDaemon(t, cmd)
		process.Line()
		return process
	}
	p.process = start(p.http)
	start(p.https, "-cert", p.certFile, "-key", p.keyFile)
}
