package express_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/program"
	"github.com/gorilla/websocket"
)

// Messages that the two servers answer differently.
func testMessages(t *testing.T, express, app *server) {
	for _, test := range []struct {
		name            string
		messageType     int
		data            string
		express, wsecho string
	}{
		// Greeting plus Buffer is a string in JavaScript.
		{"binary", websocket.BinaryMessage, "\x00\xff\xfe", "text \"Hello from the server! You sent: \\x00\uFFFD\uFFFD\"", `binary "Hello from the server! You sent: \x00\xff\xfe"`},
		{"more than 1 MiB", websocket.TextMessage, strings.Repeat("x", 1<<20+1), "text of 1048610 bytes", "close 1009 message larger than 1048576 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := reply(t, express, test.messageType, test.data); got != test.express {
				t.Errorf("express: got %s, want %s", got, test.express)
			}
			if got := reply(t, app, test.messageType, test.data); got != test.wsecho {
				t.Errorf("wsecho: got %s, want %s", got, test.wsecho)
			}
		})
	}
}

func dial(t *testing.T, s *server) *websocket.Conn {
	t.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: program.Patience}
	c, _, err := dialer.Dial("ws://"+s.address+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(program.Patience))
	return c
}

// reply sends the message on a new connection and describes the reply.
func reply(t *testing.T, s *server, messageType int, data string) string {
	t.Helper()
	c := dial(t, s)
	if err := c.WriteMessage(messageType, []byte(data)); err != nil {
		t.Fatal(err)
	}
	return receive(t, c)
}

// receive describes the next message, or the end of the connection.
func receive(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	messageType, p, err := c.ReadMessage()
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		return fmt.Sprintf("close %d %s", closed.Code, closed.Text)
	}
	if err != nil {
		t.Fatal(err)
	}
	name := "text"
	if messageType == websocket.BinaryMessage {
		name = "binary"
	}
	if len(p) > 100 {
		return fmt.Sprintf("%s of %d bytes", name, len(p))
	}
	return fmt.Sprintf("%s %q", name, p)
}

// How connections end when the process receives SIGTERM.
func testTermination(t *testing.T, express, app *server) {
	for _, test := range []struct {
		name string
		*server
		want string
	}{
		{"express", express, "close 1006 unexpected EOF"},
		{"wsecho", app, "close 1001 server is shutting down"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := dial(t, test.server)
			test.Terminate()
			if got := receive(t, c); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	app.Wait()
}
