//go:build linux

package proxies_test

import (
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
)

// idleTimeout, that of proxies in the tests, is long compared with pingInterval, so that the tests
// pass on a busy machine.
const (
	idleTimeout  = 2 * time.Second
	pingInterval = 250 * time.Millisecond
)

func TestPingsKeepIdleConnection(t *testing.T) { each(t, testPingsKeepIdleConnection) }

func testPingsKeepIdleConnection(t *testing.T, k *kind) {
	// On a busy machine, pongs may be late.
	s := serve(t, middleware.Options{PingInterval: pingInterval, PongTimeout: -1})
	c := k.start(t, s.address, k.idle...).dial(t)
	connected := time.Now()
	pong := c.PingHandler()
	enough := false
	c.SetPingHandler(func(data string) error {
		if err := pong(data); enough || time.Since(connected) < 2*idleTimeout {
			return err
		}
		enough = true
		return c.WriteMessage(websocket.TextMessage, []byte("still here"))
	})
	_, got, err := c.ReadMessage()
	if want := "Hello from the server! You sent: still here"; string(got) != want {
		t.Errorf("after %v: got %q, %v; want %q", time.Since(connected), got, err, want)
	}
}

// Without pings, the proxy cuts the connection and sends neither side a close frame, or it has no
// such timeout.
func TestIdleConnection(t *testing.T) { each(t, testIdleConnection) }

func testIdleConnection(t *testing.T, k *kind) {
	s := serve(t, middleware.Options{PingInterval: -1})
	p := k.start(t, s.address, k.idle...)
	c := p.dial(t)
	if k.idle == nil {
		timer := time.AfterFunc(2*idleTimeout, func() {
			_ = c.WriteMessage(websocket.TextMessage, []byte("still here"))
		})
		defer timer.Stop()
		_, got, err := c.ReadMessage()
		if want := "Hello from the server! You sent: still here"; string(got) != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
		return
	}
	wantClose(t, c, 1006, "unexpected EOF")
	p.log.Want(t, k.cutLog)
	s.log.Want(t, `msg="WebSocket closed" remote=127.0.0.1 path=/ws code=1006 reason=""`)
}
