//go:build linux

package proxies_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

var haproxy = &kind{
	name: "HAProxy", config: "haproxy/haproxy.cfg",
	run:  runHAProxy,
	idle: []edit{{"timeout tunnel 75s", "timeout tunnel 2s"}},
	second: func(upstream string) edit {
		return edit{"option redispatch 1", "option redispatch 1\n    server two " + upstream}
	},
	h2: true, connect: true,
	reload: func(t *testing.T, p *proxy) {
		p.insist(t, syscall.SIGUSR2, "Proxy wsecho stopped")
	},
	terminated: cut,
	quit:       syscall.SIGUSR1,
	bound:      []edit{{"hard-stop-after 10m", "hard-stop-after 1s"}},
}

func runHAProxy(t *testing.T, p *proxy, upstream string, edits []edit) {
	path := program.Find(t, "haproxy", "haproxy")
	var pem []byte
	for _, file := range []string{p.certFile, p.keyFile} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pem = append(pem, b...)
	}
	conf := p.configure(t, append([]edit{
		{"127.0.0.1:3000", upstream},
		{"bind :80", "bind " + p.http},
		{"bind :443", "bind " + p.https},
		{"/etc/haproxy/example.com.pem", p.write(t, "both.pem", string(pem))},
	}, edits...)...)
	cmd := exec.Command(path, "-W", "-db", "-f", conf)
	cmd.Stderr = p.log
	p.process = program.StartDaemon(t, cmd)
	p.log.Want(t, "Loading success") // It is listening.
}
