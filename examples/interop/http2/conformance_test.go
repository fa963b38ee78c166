package http2_test

import (
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest/conformance"
	"golang.org/x/net/http2"
)

// conformanceCases are those that a server has to pass over TCP, too.
func conformanceCases() []conformance.Case {
	return append(conformance.Protocol(), conformance.CloseCodes()...)
}

func TestConformance(t *testing.T) {
	for _, server := range []struct {
		name  string
		serve func(testing.TB, http.Handler) *httptest.Server
		h     middleware.Handler
	}{
		{"TLS, batched", serve, middleware.Batched(middleware.Echo(""))},
		{"TLS, one by one", serve, middleware.Echo("")},
		{"h2c, batched", servePlain, middleware.Batched(middleware.Echo(""))},
		{"x/net, batched", serveXNet, middleware.Batched(middleware.Echo(""))},
	} {
		t.Run(server.name, func(t *testing.T) {
			s := server.serve(t, echo(middleware.Options{Handler: server.h}).Handler(app()))
			c := dial(t, s) // Each case is a stream of one connection.
			for _, test := range conformanceCases() {
				t.Run(test.Name, func(t *testing.T) { runCase(t, c, test) })
			}
		})
	}
}

// serveXNet serves with the server of golang.org/x/net/http2, as Caddy does.
func serveXNet(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	return serveWith(t, h, func(s *http.Server) {
		//lint:ignore SA1019 servers use it that are older than its successor
		if err := http2.ConfigureServer(s, nil); err != nil {
			t.Fatal(err)
		}
	})
}

// runCase tries the case in several deliveries.
func runCase(t *testing.T, c *client, test conformance.Case) {
	t.Run("at once", func(t *testing.T) { deliver(t, c, test, func() int { return 16 << 10 }) })
	t.Run("in random pieces", func(t *testing.T) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		deliver(t, c, test, func() int { return 1 + r.IntN(len(test.Send)/8+1) })
	})
	if len(test.Send) < 500 {
		t.Run("byte by byte", func(t *testing.T) { deliver(t, c, test, func() int { return 1 }) })
	}
}

// deliver sends the case in DATA frames of these sizes.
func deliver(t *testing.T, c *client, test conformance.Case, size func() int) {
	c.t = t
	ws := c.connect()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for rest := test.Send; rest != ""; {
			n := min(size(), len(rest))
			if _, err := io.WriteString(ws, rest[:n]); err != nil {
				return // The server has ended the stream, as the reader will see.
			}
			rest = rest[n:]
		}
	}()
	ws.want(test.Want)
	ws.wantEnd()
	<-sent
}
