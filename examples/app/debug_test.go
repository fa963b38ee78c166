package main

import (
	"io"
	"net"
	"strings"
	"testing"
)

// Profiles are for the machine itself, unless a host is given.
func TestDebugListensOnLoopback(t *testing.T) {
	for _, test := range []struct {
		addr     string
		loopback bool
	}{
		{":0", true},
		{"127.0.0.1:0", true},
		{"0.0.0.0:0", false},
	} {
		cfg, err := parse([]string{"-debug-addr", test.addr}, env("", ""), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		listener, err := cfg.debug.listen()
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		ip := listener.Addr().(*net.TCPAddr).IP
		if ip.IsLoopback() != test.loopback {
			t.Errorf("-debug-addr %s: listens on %v", test.addr, ip)
		}
	}
}

func TestDebugURLOfLoopback(t *testing.T) {
	line := start(t, "-debug-addr", ":0").waitLine(t, "Debugging on ")
	if !strings.HasPrefix(line, "Debugging on http://127.0.0.1:") {
		t.Errorf("printed %q", line)
	}
}

func TestDebugOnEveryInterface(t *testing.T) {
	a := start(t, "-debug-addr", "0.0.0.0:0")
	url := strings.TrimPrefix(a.waitLine(t, "Debugging on "), "Debugging on http://localhost:")
	port := strings.TrimSuffix(url, "/debug/pprof/")
	wantLines(t, a.lines, "Listening on every interface ([::]:"+port+"): "+
		"other machines can connect; -debug-addr localhost:"+port+" keeps them out")
}
