package main

import (
	"bytes"
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
		"-ping-interval duration", "-drain duration", "-tls", "-debug-addr host:port",
		"without a host, on 127.0.0.1", "-quiet", "-inspect mode", "-inspect-credentials",
		"(default 10s)", `(default "/ws")`, "(default 30s)", "(default 1048576)", "(default 65536)",
		`(default "Hello from the server! You sent: ")`,
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("help without %q:\n%s", want, stdout.String())
		}
	}
}
