package main

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func env(key, value string) func(string) string {
	return func(k string) string {
		if k == key {
			return value
		}
		return ""
	}
}

func TestBadFlags(t *testing.T) {
	const (
		addrRule     = "must be host:port, with a port from 0 to 65535"
		durationRule = "must be a duration such as 30s"
		rateRule     = "must be a number such as 100 or 0.5"
		zeroRule     = "must not be 0; a negative one disables it"
	)
	for _, test := range []struct{ args, line string }{
		{"-drain -1s", `invalid value "-1s" for flag -drain: must not be negative`},
		{"-drain 10", `invalid value "10" for flag -drain: ` + durationRule},
		{"-ping-interval x", `invalid value "x" for flag -ping-interval: ` + durationRule},
		{"-ping-interval 0s", `invalid value "0s" for flag -ping-interval: ` + zeroRule},
		{"-read-limit 1k", `invalid value "1k" for flag -read-limit: must be a whole number`},
		{"-read-limit 0", `invalid value "0" for flag -read-limit: ` + zeroRule},
		{"-max-conns 1.5", `invalid value "1.5" for flag -max-conns: must be a whole number`},
		{"-max-conns 9223372036854775808", `invalid value "9223372036854775808" for flag -max-conns: ` +
			`must be a whole number of at most 64 bits`},
		{"-max-conns 0", `invalid value "0" for flag -max-conns: ` + zeroRule},
		{"-max-conns-per-client -1", `invalid value "-1" for flag -max-conns-per-client: must not be negative`},
		{"-max-conns-per-client x", `invalid value "x" for flag -max-conns-per-client: must be a whole number`},
		{"-max-message-rate -1", `invalid value "-1" for flag -max-message-rate: must not be negative`},
		{"-max-message-rate fast", `invalid value "fast" for flag -max-message-rate: ` + rateRule},
		{"-max-message-rate NaN", `invalid value "NaN" for flag -max-message-rate: ` + rateRule},
		{"-max-message-rate Inf", `invalid value "Inf" for flag -max-message-rate: ` + rateRule},
		{"-max-age 5", `invalid value "5" for flag -max-age: ` + durationRule},
		{"-max-age -1h", `invalid value "-1h" for flag -max-age: must not be negative`},
		{"-expires 5", `invalid value "5" for flag -expires: ` + durationRule},
		{"-expires -1s", `invalid value "-1s" for flag -expires: must not be negative`},
		{"-drain-spread x", `invalid value "x" for flag -drain-spread: ` + durationRule},
		{"-drain-spread -1s", `invalid value "-1s" for flag -drain-spread: must not be negative`},
		{"-behind-proxy=2", `invalid boolean value "2" for -behind-proxy: must be true or false`},
		{"-addr 3000", `invalid value "3000" for flag -addr: ` + addrRule},
		{"-addr localhost:", `invalid value "localhost:" for flag -addr: ` + addrRule},
		{"-addr :65536", `invalid value ":65536" for flag -addr: ` + addrRule},
		{"-addr :-1", `invalid value ":-1" for flag -addr: ` + addrRule},
		{"-debug-addr ::1", `invalid value "::1" for flag -debug-addr: ` + addrRule},
		{"-path ws", `invalid value "ws" for flag -path: must begin with "/"`},
		{"-path=", `invalid value "" for flag -path: must begin with "/"`},
		{"-prefix \xff", `invalid value "\xff" for flag -prefix: must be UTF-8`},
		{"-origin a.example/x", `invalid value "a.example/x" for flag -origin: ` +
			`must be [scheme://]host[:port] and nothing else`},
		{"-tls=maybe", `invalid boolean value "maybe" for -tls: must be true or false`},
		{"-quiet=2", `invalid boolean value "2" for -quiet: must be true or false`},
		{"-compress=on", `invalid boolean value "on" for -compress: must be true or false`},
		{"-inspect=yes", `invalid value "yes" for flag -inspect: must be auto, on or off`},
		{"-inspect-credentials=1x", `invalid boolean value "1x" for -inspect-credentials: ` +
			`must be true or false`},
		{"-drain", `flag needs an argument: -drain`},
		{"-port 3000", `flag provided but not defined: -port`},
		{"3000", `unexpected argument "3000": there are only flags`},
		{"-quiet 3000", `unexpected argument "3000": there are only flags`},
	} {
		t.Run(test.args, func(t *testing.T) {
			refused(t, test.line, env("", ""), strings.Fields(test.args)...)
		})
	}
}

func TestBadOriginAfterGoodOne(t *testing.T) {
	refused(t, `invalid value "*.*.example" for flag -origin: `+
		`may have a "*" only as the first label of the host or as the port`,
		env("", ""), "-origin", "https://ok.example", "-origin", "*.*.example")
}

func TestBadPort(t *testing.T) {
	const rule = "must be a port from 0 to 65535, " +
		"or the path of a Unix socket with a slash, such as ./app.sock"
	for _, port := range []string{
		"abc", "-1", "65536", "99999999999999999999", "3000x", "3.5", "+5", "app.sock", ":3000",
	} {
		t.Run(port, func(t *testing.T) {
			refused(t, `invalid value "`+port+`" for variable PORT: `+rule, env("PORT", port))
		})
	}
}

// refused runs the application, which must refuse its arguments or PORT with that line.
func refused(t *testing.T, want string, getenv func(string) string, args ...string) {
	t.Helper()
	want = "app: " + want + " (-h lists the flags)\n"
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), args, getenv, &stdout, &stderr); status != 2 {
		t.Errorf("exit status %d, want 2", status)
	}
	if got := stderr.String(); got != want {
		t.Errorf("stderr\n%q, want\n%q", got, want)
	}
	if stdout.Len() > 0 {
		t.Errorf("stdout %q, want nothing", stdout.String())
	}
}

func TestPort(t *testing.T) {
	for _, test := range []struct {
		port string
		want address
	}{
		{"", address{port: "3000"}},
		{"0", address{port: "0"}},
		{"8080", address{port: "8080"}},
		{" 8080\n", address{port: "8080"}},
		{"65535", address{port: "65535"}},
		{"/tmp/app.sock", address{socket: "/tmp/app.sock"}},
		{"./3000", address{socket: "./3000"}},
		{"run/3000x", address{socket: "run/3000x"}},
	} {
		if got, err := parsePort(test.port); err != nil || got != test.want {
			t.Errorf("PORT %q: %+v, %v; want %+v", test.port, got, err, test.want)
		}
	}
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"-h"}, env("", ""), &stdout, &stderr); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	if stderr.Len() > 0 {
		t.Errorf("stderr %q, want nothing", stderr.String())
	}
	for _, want := range []string{
		"Usage: app [flags]", "PORT", "-addr host:port", "-path path", "-prefix text",
		"-read-limit bytes", "-compress", "-origin pattern", "-max-conns number",
		"-ping-interval duration", "-drain duration", "-drain-spread duration", "-max-age duration",
		"-expires duration", "-max-message-rate number", "-max-conns-per-client number",
		"-behind-proxy", "-tls", "-debug-addr host:port",
		"without a host, on 127.0.0.1", "-quiet", "-inspect mode", "-inspect-credentials",
		"(default 10s)", `(default "/ws")`, "(default 30s)", "(default 1048576)", "(default 65536)",
		`(default "Hello from the server! You sent: ")`,
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("help without %q:\n%s", want, stdout.String())
		}
	}
}

// The help has the flags in groups, each flag once, and none with a default that is a zero.
func TestHelpGroups(t *testing.T) {
	var stdout bytes.Buffer
	run(t.Context(), []string{"-drain", "1s", "-h"}, env("", ""), &stdout, io.Discard)
	var headings []string
	flags := map[string]int{}
	for line := range strings.Lines(stdout.String()) {
		if heading, ok := strings.CutSuffix(line, ":\n"); ok {
			headings = append(headings, heading)
		}
		if name, ok := strings.CutPrefix(line, "  -"); ok {
			flags[strings.Fields(name)[0]]++
		}
	}
	want := []string{"The server", "The endpoint", "Who may connect", "A connection", "The end", "The inspector"}
	if !slices.Equal(headings, want) {
		t.Errorf("headings %q, want %q", headings, want)
	}
	if len(flags) != 21 {
		t.Errorf("%d flags, want 21: %v", len(flags), flags)
	}
	for name, n := range flags {
		if n != 1 {
			t.Errorf("%d times -%s", n, name)
		}
	}
	if strings.Contains(stdout.String(), "(default 0") {
		t.Errorf("a default of zero in\n%s", stdout.String())
	}
}

// A 0 is no limit where the help says so, as without the flag.
func TestZeroes(t *testing.T) {
	cfg, err := parse([]string{
		"-max-conns-per-client", "0", "-max-message-rate", "0", "-max-age", "0", "-expires", "0s",
		"-drain-spread", "0", "-drain", "0", "-behind-proxy=false",
	}, env("", ""), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o := cfg.ws
	if o.MaxConnsPerClient != 0 || o.MaxMessageRate != 0 || o.MaxAge != 0 || o.Expires != nil ||
		o.DrainSpread != 0 || cfg.drain != 0 || o.Client != nil {
		t.Errorf("got %+v", cfg)
	}
}

// Only the entry that the proxy has added counts.
func TestForwardedFor(t *testing.T) {
	for _, test := range []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{"192.0.2.1"}, "192.0.2.1"},
		{[]string{"forged, 192.0.2.1"}, "192.0.2.1"},
		{[]string{"forged", "also, 2001:db8::1 "}, "2001:db8::1"},
		{[]string{""}, ""},
	} {
		r := &http.Request{Header: http.Header{"X-Forwarded-For": test.lines}}
		if got := forwardedFor(r); got != test.want {
			t.Errorf("%q: %q, want %q", test.lines, got, test.want)
		}
	}
}
