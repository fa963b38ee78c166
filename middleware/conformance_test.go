package middleware_test

import (
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest/conformance"
)

// conformanceCase sends bytes and expects bytes, then the end of the stream.
type conformanceCase struct {
	name, send, want string
}

func protocolCases() []conformanceCase { return cases(conformance.Protocol()) }

func closeCodeCases() []conformanceCase { return cases(conformance.CloseCodes()) }

func cases(shared []conformance.Case) []conformanceCase {
	var cases []conformanceCase
	for _, c := range shared {
		cases = append(cases, conformanceCase{c.Name, c.Send, c.Want})
	}
	return cases
}

func TestConformance(t *testing.T) {
	for name, h := range map[string]middleware.Handler{
		"batched":    middleware.Batched(plainEcho()),
		"one by one": plainEcho(),
	} {
		s := serve(t, middleware.Options{Handler: h})
		for _, c := range append(protocolCases(), closeCodeCases()...) {
			t.Run(name+"/"+c.name, func(t *testing.T) { c.run(t, s) })
		}
	}
}

// Behind TLS the road to the network is another one.
func TestConformanceTLS(t *testing.T) {
	m := middleware.New(middleware.Options{
		Handler: middleware.Batched(plainEcho()), Logger: textLogger(io.Discard),
	})
	s := httptest.NewTLSServer(m)
	t.Cleanup(s.Close)
	for _, c := range append(protocolCases(), closeCodeCases()...) {
		t.Run(c.name, func(t *testing.T) { c.run(t, s) })
	}
}

// run tries the case in several deliveries, on connections with these header lines.
func (c conformanceCase) run(t *testing.T, s *httptest.Server, lines ...string) {
	t.Parallel()
	t.Run("at once", func(t *testing.T) { c.deliver(t, s, lines, []int{len(c.send)}) })
	t.Run("in random pieces", func(t *testing.T) {
		c.deliver(t, s, lines, randomSplit(t, len(c.send)))
	})
	if len(c.send) < 500 {
		t.Run("byte by byte", func(t *testing.T) { c.deliver(t, s, lines, []int{1}) })
	}
}

// deliver sends the case in pieces of these sizes, the last size over and over.
func (c conformanceCase) deliver(t *testing.T, s *httptest.Server, lines []string, sizes []int) {
	client := connect(t, s, lines...)
	go func() {
		for rest := c.send; rest != ""; {
			n := min(sizes[0], len(rest))
			if _, err := io.WriteString(client.Conn, rest[:n]); err != nil {
				return // The server has ended the connection, as the reader will see.
			}
			rest = rest[n:]
			if len(sizes) > 1 {
				sizes = sizes[1:]
			}
		}
	}()
	client.want(c.want)
	client.WantEnd()
}

func randomSplit(t *testing.T, n int) []int {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var sizes []int
	for n > 0 {
		size := 1 + r.IntN(max(1, n/8))
		sizes = append(sizes, size)
		n -= size
	}
	return append(sizes, 1)
}
