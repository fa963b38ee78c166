package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/examples/interop/internal/leak"
	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

// Everybody comes back, nobody to the drained machine, and no faster than the spread has it.
func TestInvariants(t *testing.T) {
	const conns, machines = 10_000, 10
	share := conns / machines
	lines := scenarios(conns, machines)
	results := make([]result, len(lines))
	for i, s := range lines {
		r := simulate(s.plan)
		results[i] = r
		if r.open != conns || r.drained != 0 {
			t.Errorf("%s: %d open, %d of them on the drained machine; want %d, 0",
				s.name, r.open, r.drained, conns)
		}
		total := 0
		for _, n := range r.handshakes {
			total += n
		}
		if s.plan.maxAge == 0 && total != share+r.refused {
			t.Errorf("%s: %d handshakes, %d refused, of %d clients", s.name, total, r.refused, share)
		}
	}
	neither, spread, both := results[0], results[1], results[2]
	atOnce := share / 5 // in each of the five seconds after which clients come back
	if got := slices.Max(neither.handshakes); got < atOnce*9/10 || got > atOnce*3/2 {
		t.Errorf("at once: at most %d a second, want about %d", got, atOnce)
	}
	even := share / 60
	if got := slices.Max(spread.handshakes); got < even || got > 2*even {
		t.Errorf("spread: at most %d a second, want about %d", got, even)
	}
	aging := conns / (30 * 60)
	if got := slices.Max(both.handshakes); got < even+aging || got > 2*(even+aging) {
		t.Errorf("spread, aging: at most %d a second, want about %d", got, even+aging)
	}
	// Ten new connections of a hundred go to a machine of ten; but only those that are new.
	end := len(spread.added) - 1
	if got := spread.added[end]; got < share/20 || got > share/5 {
		t.Errorf("spread: %d on the machine added, want about %d", got, share/10)
	}
	if got := both.added[end]; got < share*9/10 || got > share*11/10 {
		t.Errorf("aging: %d on the machine added, want about %d", got, share)
	}
}

// Handshakes that are in progress when the drain begins are drained too, and some are refused.
func TestHandshakesInProgress(t *testing.T) {
	p := scenarios(10_000, 10)[2].plan
	p.maxAge, p.until = time.Minute, 10*time.Minute // 167 handshakes a second
	r := simulate(p)
	if r.open != p.conns || r.drained != 0 {
		t.Errorf("%d open, %d of them on the drained machine; want %d, 0", r.open, r.drained, p.conns)
	}
	if r.refused < 20 || r.refused > 200 { // of those of 3 s, a tenth
		t.Errorf("%d refused, want about 50", r.refused)
	}
}

func TestChart(t *testing.T) {
	lines := scenarios(1000, 5)
	var results []result
	for _, s := range lines {
		results = append(results, simulate(s.plan))
	}
	got := string(chart(lines, results))
	for _, want := range []string{
		"1000 connections on 5 machines, one of them replaced after a minute</text>",
		">neither</text>", ">DrainSpread 1m</text>", ">DrainSpread 1m, MaxAge 30m</text>",
		"Handshakes a second at the balancer", "Connections of the machine added", "</svg>\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(got, "NaN") || strings.Contains(got, "Inf") {
		t.Error("a coordinate that is no number")
	}
}

// The chart in OPERATIONS.md is what the program draws.
func TestChartIsCurrent(t *testing.T) {
	drawn, err := os.ReadFile("drain.svg")
	if err != nil {
		t.Fatal(err)
	}
	lines := scenarios(100_000, 20)
	var results []result
	for _, s := range lines {
		results = append(results, simulate(s.plan))
	}
	if string(chart(lines, results)) != string(drawn) {
		t.Error("drain.svg is not what the program draws: go run . -svg drain.svg")
	}
	page, err := os.ReadFile("../../../middleware/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "](../examples/interop/drain/drain.svg)") {
		t.Error("OPERATIONS.md does not show the chart")
	}
}

// memory is a listener for connections within the process.
type memory struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (m memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m memory) Close() error   { close(m.closed); return nil }
func (m memory) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "memory"} }

func (m memory) dial() (*websocket.Conn, *http.Response, error) {
	dialer := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) {
		here, there := net.Pipe()
		m.conns <- there
		return here, nil
	}}
	return dialer.Dial("ws://memory/ws", nil)
}

// The real Shutdown tells clients when the model says so, and refuses those that come meanwhile.
func TestShutdownKeepsTheSchedule(t *testing.T) {
	const n, spread = 200, time.Minute
	synctest.Test(t, func(t *testing.T) {
		ws := middleware.New(middleware.Options{
			DrainSpread: spread, PingInterval: -1, Logger: slog.New(slog.DiscardHandler),
		})
		listener := memory{make(chan net.Conn), make(chan struct{})}
		server := &http.Server{Handler: ws, ReadHeaderTimeout: time.Second}
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()

		ends := make(chan time.Time, n)
		for range n {
			c, _, err := listener.dial()
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
					t.Error(err)
				}
				ends <- time.Now()
				_ = c.Close()
			}()
		}
		synctest.Wait()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*spread)
		defer cancel()
		drained := make(chan error, 1)
		go func() { drained <- ws.Shutdown(ctx) }()
		synctest.Wait()
		if _, resp, _ := listener.dial(); resp == nil || resp.StatusCode != http.StatusServiceUnavailable ||
			resp.Header.Get("Retry-After") != "1" {
			t.Errorf("a handshake during the drain: %v, want 503, Retry-After: 1", resp)
		}
		for i, after := range schedule(n, spread) {
			if got := (<-ends).Sub(began); got != after+quiet {
				t.Errorf("client %d was told after %v, want %v", i, got, after+quiet)
			}
		}
		if err := <-drained; err != nil {
			t.Error(err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}
