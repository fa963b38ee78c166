//go:build linux

// Package proxies_test tests wsecho behind proxies, with the configurations in examples/proxies.
package proxies_test

import (
	"errors"
	"fmt"
	"os"
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

// A kind of proxy, with what is known of it.
type kind struct {
	name   string
	config string // below examples/proxies

	// run starts it in front of the server at upstream, with the configuration as edited.
	run func(t *testing.T, p *proxy, upstream string, edits []edit)

	broken []broken

	idle   []edit // makes it cut connections that are idle for 2 s; none if it never does
	cutLog string // what it logs then

	second func(upstream string) edit // adds a server; nil if it does not retry on another one

	h2      bool // offers HTTP/2
	connect bool // and WebSockets on it (RFC 8441)

	reload     func(t *testing.T, p *proxy) // reads the configuration again; nil if it cannot
	reloaded   closing                      // how it closes connections then; zero if it does not
	terminated closing                      // how it closes them on SIGTERM

	quit  syscall.Signal // ends it when its connections have ended; 0 if there is none
	bound []edit         // cuts them 1 s after that signal; none if it waits for ever
}

// closing is how a connection ends for the client, and what the server logs.
type closing struct {
	code        int
	reason, log string
}

// anyEnd is a race between close frames and the end of the program.
var anyEnd = closing{log: `msg="WebSocket closed" remote=127.0.0.1 path=/ws code=100`}

// cut is the end of a connection without close frames.
var cut = closing{1006, "unexpected EOF", `msg="WebSocket closed" remote=127.0.0.1 path=/ws code=1006`}

var kinds = []*kind{nginx, haproxy, apache, caddy, reverseProxy}

// each runs the test for each kind of proxy.
func each(t *testing.T, test func(t *testing.T, k *kind)) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			test(t, k)
		})
	}
}

// proxy is a running one.
type proxy struct {
	*kind
	dir         string // for its files
	http, https string // where it listens, host:port
	log         *program.Log
	process     *program.Process
	certificate
}

// An edit is a replacement in the configuration.
type edit struct{ old, new string }

// start runs the proxy in front of the server at upstream, with its configuration in
// examples/proxies except for addresses, the certificate, and the edits.
func (k *kind) start(t *testing.T, upstream string, edits ...edit) *proxy {
	t.Helper()
	dir := t.TempDir()
	p := &proxy{
		kind: k, dir: dir, http: reserve(t), https: reserve(t),
		log: program.NewLog(), certificate: selfSign(t, dir),
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s logged:\n%s", k.name, p.log)
		}
	})
	k.run(t, p, upstream, edits)
	return p
}

// configure writes the configuration with the edits, each of which must match once.
func (p *proxy) configure(t *testing.T, edits ...edit) (path string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "proxies", filepath.FromSlash(p.config)))
	if err != nil {
		t.Fatal(err)
	}
	conf := string(b)
	for _, e := range edits {
		if n := strings.Count(conf, e.old); n != 1 {
			t.Fatalf("%s has %q %d times, want once", p.config, e.old, n)
		}
		conf = strings.Replace(conf, e.old, e.new, 1)
	}
	return p.write(t, filepath.Base(p.config), conf)
}

// write writes a file of the proxy.
func (p *proxy) write(t *testing.T, name, content string) (path string) {
	t.Helper()
	path = filepath.Join(p.dir, name)
	writeFile(t, path, content)
	return path
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reserve returns an address that no other socket takes before the proxy does. It binds a socket to
// the address that does not listen: on Linux, another one can still bind to it if both have
// SO_REUSEADDR, as those of proxies do.
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

// insist sends a signal until the text is in the log: programs miss those that come while they
// start.
func (p *proxy) insist(t *testing.T, s syscall.Signal, text string) {
	t.Helper()
	for timeout := time.After(program.Patience); !strings.Contains(p.log.String(), text); {
		p.process.Signal(s)
		select {
		case <-time.After(time.Second):
		case <-p.process.Ended():
			t.Fatalf("ended, and has not logged %q", text)
		case <-timeout:
			t.Fatalf("has not logged %q", text)
		}
	}
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
