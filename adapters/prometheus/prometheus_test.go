package wsprometheus_test

import (
	"math"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	wsprometheus "example.com/wsecho/adapters/prometheus"
	"example.com/wsecho/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

const (
	text   = middleware.TextMessage
	binary = middleware.BinaryMessage
)

// want compares the metrics with the given names, or all if none are given.
func want(t *testing.T, c prometheus.Collector, exposition string, names ...string) {
	t.Helper()
	if err := testutil.CollectAndCompare(c, strings.NewReader(exposition), names...); err != nil {
		t.Error(err)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Alerts on an increase need the series to start at 0.
func TestBeginning(t *testing.T) {
	want(t, wsprometheus.New(), readFile(t, "testdata/beginning.txt"))
}

func TestHooks(t *testing.T) {
	m := wsprometheus.New()
	h := m.Hooks()
	for range 4 {
		h.Accepted(nil)
	}
	h.Refused(nil, 403, "origin")
	h.Refused(nil, 503, "the limit of 1 WebSocket connections is reached")
	h.Refused(nil, 503, "the server is shutting down")
	for _, size := range []int64{0, 1, 1 << 40} {
		h.Received(nil, text, size)
	}
	h.Received(nil, binary, 7)
	h.Sent(nil, text, 300)
	h.Sent(nil, binary, 20)
	h.Sent(nil, binary, 3)
	for _, rtt := range []time.Duration{2 * time.Millisecond, 200 * time.Millisecond, 20 * time.Second} {
		h.Pong(nil, rtt)
	}
	h.Closed(nil, middleware.CloseInfo{
		Code: 1000, ByClient: true, Duration: 250 * time.Millisecond,
	})
	h.Closed(nil, middleware.CloseInfo{
		Code: 1006, Duration: 2 * time.Hour, Err: syscall.ECONNRESET,
	})
	h.Closed(nil, middleware.CloseInfo{Code: 4321, Duration: 36 * time.Hour})
	want(t, m, readFile(t, "testdata/hooks.txt"))
}

func TestNames(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := wsprometheus.New()
	reg.MustRegister(m)
	m.Hooks().Closed(nil, middleware.CloseInfo{}) // creates the label "other", to lint it too
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// Whatever the codes, there are the 86 documented series: 55 and the lines of the histograms, 15 and 16.
func TestCardinality(t *testing.T) {
	m := wsprometheus.New()
	h := m.Hooks()
	for n := -1; n <= math.MaxUint16; n++ {
		h.Closed(nil, middleware.CloseInfo{Code: n, Duration: time.Duration(n) * time.Hour})
		h.Refused(nil, n, "")
		h.Received(nil, middleware.MessageType(n), 1)
		h.Sent(nil, middleware.MessageType(n), 1)
	}
	for _, test := range []struct {
		name string
		want int
	}{
		{"websocket_connections_open", 1},
		{"websocket_connection_duration_seconds", 1},
		{"websocket_handshakes_total", 10},
		{"websocket_messages_total", 4},
		{"websocket_message_bytes_total", 4},
		{"websocket_closes_total", 17},
		{"websocket_ends_total", 8},
		{"websocket_refusals_total", 10},
		{"websocket_ping_round_trip_seconds", 1},
	} {
		if got := testutil.CollectAndCount(m, test.name); got != test.want {
			t.Errorf("%s: %d series, want %d", test.name, got, test.want)
		}
	}
	if got := testutil.CollectAndCount(m); got != 56 {
		t.Errorf("%d metrics in all, want 56", got)
	}
	want(t, m, readFile(t, "testdata/hostile.txt"),
		"websocket_closes_total", "websocket_handshakes_total",
		"websocket_ends_total", "websocket_refusals_total")
}

// A label distinguishes the endpoints of a program.
func TestEndpoints(t *testing.T) {
	reg := prometheus.NewRegistry()
	chat, feed := wsprometheus.New(), wsprometheus.New()
	for endpoint, m := range map[string]*wsprometheus.Metrics{"/chat": chat, "/feed": feed} {
		prometheus.WrapRegistererWith(prometheus.Labels{"endpoint": endpoint}, reg).MustRegister(m)
	}
	chat.Hooks().Accepted(nil)
	chat.Hooks().Accepted(nil)
	feed.Hooks().Accepted(nil)
	const want = `
# HELP websocket_connections_open WebSocket connections that are open.
# TYPE websocket_connections_open gauge
websocket_connections_open{endpoint="/chat"} 2
websocket_connections_open{endpoint="/feed"} 1
`
	err := testutil.GatherAndCompare(reg, strings.NewReader(want), "websocket_connections_open")
	if err != nil {
		t.Error(err)
	}
}

func TestConcurrency(t *testing.T) {
	m := wsprometheus.New()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(m)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			h := m.Hooks()
			for range 100 {
				h.Accepted(nil)
				h.Received(nil, text, 2)
				h.Sent(nil, text, 3)
				h.Closed(nil, middleware.CloseInfo{Code: 3000, Duration: time.Second})
				h.Refused(nil, 600, "")
			}
			if _, err := reg.Gather(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	want(t, m, readFile(t, "testdata/concurrency.txt"))
}

func TestMessagesAllocateNothing(t *testing.T) {
	h := wsprometheus.New().Hooks()
	for _, test := range []struct {
		name string
		hook func(*middleware.Conn, middleware.MessageType, int64)
	}{{"Received", h.Received}, {"Sent", h.Sent}} {
		for _, kind := range []middleware.MessageType{text, binary} {
			if n := testing.AllocsPerRun(100, func() { test.hook(nil, kind, 128) }); n != 0 {
				t.Errorf("%s, %v: %v allocations", test.name, kind, n)
			}
		}
	}
}
