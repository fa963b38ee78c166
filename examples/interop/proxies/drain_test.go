//go:build linux

package proxies_test

import (
	"errors"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/program"
	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
)

// The proxy reads its configuration again, and there is an open connection.
func TestReload(t *testing.T) { each(t, testReload) }

func testReload(t *testing.T, k *kind) {
	if k.reload == nil {
		t.Skip("it cannot")
	}
	s := serve(t, middleware.Options{})
	p := k.start(t, s.address)
	c := p.dial(t)
	wantEcho(t, c)
	p.reload(t, p)
	if p.reloaded == (closing{}) {
		wantEcho(t, c)
	} else {
		wantClosing(t, c, p.reloaded, s)
	}
	wantEcho(t, p.dial(t))
}

// The proxy is told to end when its connections have ended.
func TestQuit(t *testing.T) { each(t, testQuit) }

func testQuit(t *testing.T, k *kind) {
	if k.quit == 0 {
		t.Skip("it cannot")
	}
	s := serve(t, middleware.Options{})
	p := k.start(t, s.address)
	c := p.dial(t)
	p.endListening(t, k.quit)
	wantEcho(t, c)
	wantClosed(t, c)
	p.wantEnd(t)
}

// The proxy is told so, and the connections do not end.
func TestQuitIsBounded(t *testing.T) { each(t, testQuitIsBounded) }

func testQuitIsBounded(t *testing.T, k *kind) {
	if k.bound == nil {
		t.Skip("it is not")
	}
	s := serve(t, middleware.Options{})
	p := k.start(t, s.address, k.bound...)
	c := p.dial(t)
	p.endListening(t, k.quit)
	wantEcho(t, c)
	wantClosing(t, c, cut, s)
	p.wantEnd(t)
}

// endListening sends the signal until the proxy no longer listens.
func (p *proxy) endListening(t *testing.T, s syscall.Signal) {
	t.Helper()
	for deadline := time.Now().Add(program.Patience); time.Now().Before(deadline); runtime.Gosched() {
		p.process.Signal(s)
		conn, err := net.DialTimeout("tcp", p.http, program.Patience)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	t.Fatal("it still listens")
}

// wantEnd waits for the end of the proxy.
func (p *proxy) wantEnd(t *testing.T) {
	t.Helper()
	select {
	case <-p.process.Ended():
	case <-time.After(program.Patience):
		t.Error("it has not ended")
	}
}

// The proxy is told to end at once.
func TestTerminate(t *testing.T) { each(t, testTerminate) }

func testTerminate(t *testing.T, k *kind) {
	s := serve(t, middleware.Options{})
	p := k.start(t, s.address, k.bound...)
	c := p.dial(t)
	p.process.Terminate()
	wantClosing(t, c, p.terminated, s)
	p.wantEnd(t)
}

// wantClosing waits for the end of the connection on both sides.
func wantClosing(t *testing.T, c *websocket.Conn, want closing, s *server) {
	t.Helper()
	if want.code != 0 {
		wantClose(t, c, want.code, want.reason)
	} else if _, got, err := c.ReadMessage(); !websocket.IsCloseError(err, 1001, 1006) {
		t.Errorf("got %q, %v; want close 1001 or 1006", got, err)
	}
	s.log.Want(t, want.log)
}
