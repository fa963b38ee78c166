package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func wantRefused(t *testing.T, url string, header http.Header, status int) {
	t.Helper()
	c, resp, err := websocket.DefaultDialer.Dial(url, header)
	if c != nil {
		c.Close()
	}
	if resp == nil || resp.StatusCode != status {
		t.Errorf("got %v, %v; want %d", resp, err, status)
	}
}

func TestMaxConnsPerClient(t *testing.T) {
	a := start(t, "-max-conns-per-client", "1")
	dial(t, a.ws)
	wantRefused(t, a.ws, http.Header{"X-Forwarded-For": {"192.0.2.1"}}, 429)
}

func TestBehindProxy(t *testing.T) {
	a := start(t, "-max-conns-per-client", "1", "-behind-proxy")
	for _, hop := range []string{"192.0.2.1", "192.0.2.2"} {
		c, resp, err := websocket.DefaultDialer.Dial(a.ws, http.Header{"X-Forwarded-For": {hop}})
		if err != nil {
			t.Fatalf("%s: %v, %v", hop, resp, err)
		}
		t.Cleanup(func() { c.Close() })
	}
	wantRefused(t, a.ws, http.Header{"X-Forwarded-For": {"192.0.2.9, 192.0.2.1"}}, 429)
}

func TestLifetimes(t *testing.T) {
	for _, test := range []struct {
		flag string
		code int
	}{{"-expires", 3000}, {"-max-age", 1001}} {
		wantClose(t, dial(t, start(t, test.flag, "50ms").ws), test.code)
	}
}

func TestMaxMessageRate(t *testing.T) {
	c := dial(t, start(t, "-max-message-rate", "20").ws)
	began := time.Now()
	for range 30 {
		if err := c.WriteMessage(websocket.TextMessage, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for range 30 {
		if _, _, err := c.ReadMessage(); err != nil {
			t.Fatal(err)
		}
	}
	if got := time.Since(began); got < 450*time.Millisecond {
		t.Errorf("30 echoes in %v, want 500ms: 20 at once, then one each 50ms", got)
	}
}

// The deadline that -drain-spread is limited by is that of -drain.
func TestDrainSpread(t *testing.T) {
	a := start(t, "-drain", "5s", "-drain-spread", "1h")
	const n = 10
	ends := make(chan time.Time, n)
	for range n {
		c := dial(t, a.ws)
		go func() {
			if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, 1001) {
				t.Error(err)
			}
			ends <- time.Now()
			c.Close()
		}()
	}
	if status := a.stop(); status != 0 {
		t.Errorf("status %d", status)
	}
	var times []time.Time
	for range n {
		times = append(times, receive(t, ends))
	}
	slices.SortFunc(times, time.Time.Compare)
	// Nine tenths of 4 s, as the last one is for cutting: 360 ms between two.
	if got := times[n-1].Sub(times[0]); got < 3*time.Second || got > 4*time.Second {
		t.Errorf("drained over %v, want 3.24s", got)
	}
	if got := a.stderr(); got != "" {
		t.Errorf("stderr %q, want nothing", got)
	}
}

func TestStatistics(t *testing.T) {
	a := start(t, "-debug-addr", "127.0.0.1:0", "-ping-interval", "10ms", "-max-conns", "1")
	page := strings.TrimPrefix(a.waitLine(t, "Debugging on "), "Debugging on ")
	c := dial(t, a.ws)
	wantRefused(t, a.ws, nil, 503)
	pinged := 0
	c.SetPingHandler(func(payload string) error {
		if pinged++; pinged > 2 {
			return c.WriteMessage(websocket.CloseMessage, nil)
		}
		return c.WriteMessage(websocket.PongMessage, []byte(payload))
	})
	wantClose(t, c, websocket.CloseNoStatusReceived)
	var vars struct {
		Memstats   map[string]any
		Websockets struct {
			Open            int
			Refused, Closed map[string]int
			RoundTrips      map[string]float64 `json:"round_trips"`
		}
	}
	for deadline := time.Now().Add(timeout); vars.Websockets.Closed["client"] == 0; {
		_, body := request(t, "GET", strings.TrimSuffix(page, "pprof/")+"vars")
		if err := json.Unmarshal([]byte(body), &vars); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing closed in %s", body)
		}
	}
	ws := vars.Websockets
	if ws.Open != 0 || ws.Refused["503"] != 1 || ws.RoundTrips["count"] != 2 || ws.RoundTrips["sum"] <= 0 {
		t.Errorf("got %+v", ws)
	}
	if len(vars.Memstats) == 0 {
		t.Error("no published variables")
	}
}
