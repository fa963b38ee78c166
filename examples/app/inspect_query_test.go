package main

import (
	"net/http"
	"testing"
	"time"
)

const (
	delayRule = "must be a duration from 0s to 60s, such as 250ms"
	everyRule = "must be a duration from 10ms to 1h, such as 1s"
	sizeRule  = "must be a number of bytes from 0 to 1MiB, such as 4096 or 64KiB"
	closeRule = "must be CODE or CODE@N, such as 4000@3, with a code from 1000 to 1003, " +
		"1007 to 1014 or 3000 to 4999, and N from 0 to 1000000"
	cutRule    = "must be a number of reports from 0 to 1000000"
	statusRule = "must be from 300 to 599: 1xx, such as 101, and 2xx do not refuse"
)

var badControls = []struct{ query, reason string }{
	{"delay=-1s", `delay "-1s": ` + delayRule},
	{"delay=60.000000001s", `delay "60.000000001s": ` + delayRule},
	{"delay=9999999h", `delay "9999999h": ` + delayRule},
	{"delay=1", `delay "1": ` + delayRule},
	{"delay=", `delay "": ` + delayRule},
	{"delay", `delay "": ` + delayRule},
	{"every=1ns", `every "1ns": ` + everyRule},
	{"every=9.999ms", `every "9.999ms": ` + everyRule},
	{"every=0s", `every "0s": ` + everyRule},
	{"every=-1s", `every "-1s": ` + everyRule},
	{"every=1h0m1s", `every "1h0m1s": ` + everyRule},
	{"size=1TiB", `size "1TiB": ` + sizeRule},
	{"size=2MiB", `size "2MiB": ` + sizeRule},
	{"size=1025KiB", `size "1025KiB": ` + sizeRule},
	{"size=1048577", `size "1048577": ` + sizeRule},
	{"size=18446744073709551616", `size "18446744073709551616": ` + sizeRule},
	{"size=-1", `size "-1": ` + sizeRule},
	{"size=KiB", `size "KiB": ` + sizeRule},
	{"size=1e3", `size "1e3": ` + sizeRule},
	{"close=999", `close "999": ` + closeRule},
	{"close=1004", `close "1004": ` + closeRule},
	{"close=1005", `close "1005": ` + closeRule},
	{"close=1006", `close "1006": ` + closeRule},
	{"close=1015", `close "1015": ` + closeRule},
	{"close=2999", `close "2999": ` + closeRule},
	{"close=5000", `close "5000": ` + closeRule},
	{"close=4000@", `close "4000@": ` + closeRule},
	{"close=4000@-1", `close "4000@-1": ` + closeRule},
	{"close=4000@1000001", `close "4000@1000001": ` + closeRule},
	{"close=@3", `close "@3": ` + closeRule},
	{"cut=-1", `cut "-1": ` + cutRule},
	{"cut=1000001", `cut "1000001": ` + cutRule},
	{"ping=0", `ping "0": must be on or off`},
	{"status=101", `status "101": ` + statusRule},
	{"status=200", `status "200": ` + statusRule},
	{"status=299", `status "299": ` + statusRule},
	{"status=600", `status "600": ` + statusRule},
	{"status=0", `status "0": ` + statusRule},
	{"status=teapot", `status "teapot": ` + statusRule},
	{"size=1&size=1", "size: must not be given twice"},
	{"status=503&delay=1s", "status: must be alone, without delay, as it makes no connection"},
	{"status=503&ping=on", "status: must be alone, without ping, as it makes no connection"},
	{"close=1000@5&cut=3", "cut: must not be given together with close"},
	{"every=10ms&size=1MiB", "size: must be at most 10 MiB a second, and it is more with every=10ms"},
	{"every=99ms&size=1MiB", "size: must be at most 10 MiB a second, and it is more with every=99ms"},
	{"x=%zz", `query: invalid URL escape "%zz"`},
	{"delay=1s;size=1", "query: invalid semicolon separator in query"},
	{
		"delay=<script>alert(1)</script>0123456789012345678901234567890123456789",
		`delay "<script>alert(1)</script>0123456789012345678901234": ` + delayRule,
	},
}

func TestBadControls(t *testing.T) {
	for _, test := range badControls {
		if _, err := parseControls(test.query); err == nil || err.Error() != test.reason {
			t.Errorf("%s\ngot  %v\nwant %s", test.query, err, test.reason)
		}
	}
}

func TestGoodControls(t *testing.T) {
	for _, test := range []struct {
		query string
		want  controls
	}{
		{"", controls{}},
		{"token=abc&Delay=x&&x", controls{}},
		{"delay=0s", controls{}},
		{"delay=60s", controls{delay: time.Minute}},
		{"delay=1m", controls{delay: time.Minute}},
		{"delay=1%6Ds", controls{delay: time.Millisecond}},
		{"every=10ms", controls{every: 10 * time.Millisecond}},
		{"every=1h", controls{every: time.Hour}},
		{"size=0", controls{sized: true}},
		{"size=4096", controls{sized: true, size: 4096}},
		{"size=64KiB", controls{sized: true, size: 65536}},
		{"size=1MiB", controls{sized: true, size: 1 << 20}},
		{"size=1024KiB", controls{sized: true, size: 1 << 20}},
		{"size=0MiB", controls{sized: true}},
		{"every=100ms&size=1MiB", controls{
			every: 100 * time.Millisecond, sized: true, size: 1 << 20,
		}},
		{"every=1h&size=1MiB", controls{every: time.Hour, sized: true, size: 1 << 20}},
		{"close=1000", controls{ends: true, closeCode: 1000}},
		{"close=1014@0", controls{ends: true, closeCode: 1014}},
		{"close=4999@1000000", controls{ends: true, endAfter: 1_000_000, closeCode: 4999}},
		{"cut=0", controls{ends: true}},
		{"cut=3&delay=1s&ping=off", controls{
			ends: true, endAfter: 3, delay: time.Second, pingsOff: true,
		}},
		{"ping=on", controls{}},
		{"status=300", controls{status: 300}},
		{"status=599", controls{status: 599}},
	} {
		if got, err := parseControls(test.query); err != nil || got != test.want {
			t.Errorf("%s: %+v, %v; want %+v", test.query, got, err, test.want)
		}
	}
}

// The reason is in the response, and there is no WebSocket.
func TestBadControlsAreRefused(t *testing.T) {
	a := start(t)
	for _, query := range []string{"size=1TiB", "delay=-1s", "every=1ns", "status=101"} {
		resp, body := handshake(t, a.ws+"/inspect?"+query)
		_, want := parseControls(query)
		if resp.StatusCode != http.StatusBadRequest || body != want.Error()+"\n" {
			t.Errorf("%s: status %d, %q; want 400, %v", query, resp.StatusCode, body, want)
		}
		if got := resp.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
			t.Errorf("%s: Content-Type %q", query, got)
		}
	}
}

func TestStatusControl(t *testing.T) {
	a := start(t)
	for query, want := range map[string]int{"status=302": 302, "status=503": 503, "status=599": 599} {
		resp, body := handshake(t, a.ws+"/inspect?"+query)
		if resp.StatusCode != want || body != "refused because the query has a status\n" {
			t.Errorf("%s: status %d, %q", query, resp.StatusCode, body)
		}
	}
}
