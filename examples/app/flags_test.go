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
	const addrRule = "must be host:port, with a port from 0 to 65535"
	for _, test := range []struct{ args, line string }{
		{"-drain -1s", `invalid value "-1s" for flag -drain: must not be negative`},
		{"-drain 10", `invalid value "10" for flag -drain: must be a duration such as 30s`},
		{"-ping-interval x", `invalid value "x" for flag -ping-interval: must be a duration such as 30s`},
		{"-read-limit 1k", `invalid value "1k" for flag -read-limit: must be a whole number`},
		{"-max-conns 1.5", `invalid value "1.5" for flag -max-conns: must be a whole number`},
		{"-addr 3000", `invalid value "3000" for flag -addr: ` + addrRule},
		{"-addr localhost:", `invalid value "localhost:" for flag -addr: ` + addrRule},
		{"-addr :65536", `invalid value ":65536" for flag -addr: ` + addrRule},
		{"-addr :-1", `invalid value ":-1" for flag -addr: ` + addrRule},
		{"-debug-addr ::1", `invalid value "::1" for flag -debug-addr: ` + addrRule},
		{"-path ws", `path "ws": must begin with "/"`},
		{"-tls=maybe", `invalid boolean value "maybe" for -tls: parse error`},
		{"-drain", `flag needs an argument: -drain`},
		{"-port 3000", `flag provided but not defined: -port`},
		{"3000", `unexpected argument "3000"`},
		{"-quiet 3000", `unexpected argument "3000"`},
	} {
		t.Run(test.args, func(t *testing.T) {
			refused(t, "app: "+test.line+"\n", env("", ""), strings.Fields(test.args)...)
		})
	}
}

func TestBadOriginIsNamed(t *testing.T) {
	var stdout, stderr bytes.Buffer
	args := []string{"-origin", "https://ok.example", "-origin", "no scheme"}
	status := run(t.Context(), args, env("", ""), &stdout, &stderr)
	line := stderr.String()
	if status != 2 || strings.Count(line, "\n") != 1 || !strings.Contains(line, `"no scheme"`) {
		t.Errorf("status %d, stderr %q", status, line)
	}
}

func TestBadPort(t *testing.T) {
	const rule = "must be a port from 0 to 65535, or the path of a Unix socket"
	for _, port := range []string{"-1", "65536", "99999999999999999999", "3000x", "3.5", "+5"} {
		t.Run(port, func(t *testing.T) {
			refused(t, `app: PORT "`+port+`": `+rule+"\n", env("PORT", port))
		})
	}
}

func refused(t *testing.T, want string, getenv func(string) string, args ...string) {
	t.Helper()
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
		{"app.sock", address{socket: "app.sock"}},
		{"./3000", address{socket: "./3000"}},
		{"-x", address{socket: "-x"}},
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
		"without a host, on 127.0.0.1", "-quiet",
		"(default 10s)", "(default 30s)", "(default 1048576)", "(default 65536)",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("help without %q:\n%s", want, stdout.String())
		}
	}
}
