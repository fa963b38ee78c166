package wstest_test

import (
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
)

// A test of a handler: in this bubble, 40 seconds take no time.
func Example() {
	_ = func(t *testing.T) { // func TestSilentClient(t *testing.T)
		synctest.Test(t, func(t *testing.T) {
			ws := middleware.New(middleware.Options{Logger: slog.New(slog.DiscardHandler)})
			server := wstest.NewServer(t, ws.Handler(http.NotFoundHandler()))
			c := server.Dial("/ws")
			c.Send(wstest.Text("hi"))
			c.Want(wstest.Text("Hello from the server! You sent: hi"))

			time.Sleep(30 * time.Second) // the default of Options.PingInterval
			c.Want(wstest.Frame{First: 0x89})
			time.Sleep(10 * time.Second) // that of Options.PongTimeout
			c.Want(wstest.Close(1008, "no answer to a ping within 10s"))
			c.WantEnd()
		})
	}
}
