//go:build linux

package nginx_test

import (
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
)

// readTimeout is long compared with pingInterval, so that the test passes on a busy machine.
const (
	readTimeout  = 2 * time.Second
	pingInterval = 250 * time.Millisecond
)

func shortTimeout() edit { return edit{"proxy_read_timeout 75s;", "proxy_read_timeout 2s;"} }

func TestPingsKeepIdleConnection(t *testing.T) {
	t.Parallel()
	// On a busy machine, pongs may be late.
	s := serve(t, middleware.Options{PingInterval: pingInterval, PongTimeout: -1})
	c := start(t, s.address, shortTimeout()).dial(t)
	connected := time.Now()
	pong := c.PingHandler()
	enough := false
	c.SetPingHandler(func(data string) error {
		if err := pong(data); enough || time.Since(connected) < 2*readTimeout {
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

// Without pings, nginx cuts the connection and sends neither side a close frame.
func TestIdleConnectionIsCut(t *testing.T) {
	t.Parallel()
	s := serve(t, middleware.Options{PingInterval: -1})
	p := start(t, s.address, shortTimeout())
	c := p.dial(t)
	wantClose(t, c, 1006, "unexpected EOF")
	p.log.Want(t, "upstream timed out (110: Connection timed out) while proxying upgraded connection")
	s.log.Want(t, `msg="WebSocket closed" remote=127.0.0.1 path=/ws code=1006 reason=""`)
}
