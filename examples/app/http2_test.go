package main

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// The first line says whether browsers may use HTTP/2 for WebSockets, where they could.
func TestHTTP2Note(t *testing.T) {
	const (
		with    = ", with WebSockets over HTTP/2"
		without = ", without WebSockets over HTTP/2: for those, set GODEBUG=http2xconnect=1"
	)
	for _, test := range []struct{ flag, godebug, want string }{
		{"-tls", "", without},
		{"-tls", "http2xconnect=0", without},
		{"-tls", "http2client=0,http2xconnect=1", with},
		{"-h2c", "", without},
		{"-h2c", "http2xconnect=1", with},
		{"-quiet", "http2xconnect=1", ""},
	} {
		env := map[string]string{"GODEBUG": test.godebug}
		a := startAs(t, env, "-addr", "127.0.0.1:0", test.flag)
		if a.note != test.want {
			t.Errorf("%s with GODEBUG=%s: printed %q, want %q", test.flag, test.godebug, a.note, test.want)
		}
	}
}

func TestH2C(t *testing.T) {
	a := start(t, "-h2c")
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Timeout: timeout, Transport: transport}).Get(a.web + "users")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 || resp.Proto != "HTTP/2.0" {
		t.Errorf("got %s over %s", resp.Status, resp.Proto)
	}
	line := a.waitLine(t, "GET /users ")
	if want := `^GET /users 200 \d+\.\d{3} ms - 23 HTTP/2\.0$`; !regexp.MustCompile(want).MatchString(line) {
		t.Errorf("logged %q, want %s", line, want)
	}
	if got := echo(t, dial(t, a.ws), "hi"); got != "Hello from the server! You sent: hi" {
		t.Errorf("reply %q over HTTP/1.1", got)
	}
}

func TestH2CWithTLS(t *testing.T) {
	refused(t, "-h2c is HTTP/2 without TLS: leave out -tls, or -h2c", env("", ""), "-tls", "-h2c")
}

// The page learns from a cookie which version of HTTP its WebSocket runs over.
func TestVersionCookie(t *testing.T) {
	a := start(t)
	for _, url := range []string{a.ws, a.ws + "/inspect"} {
		c, resp, err := websocket.DefaultDialer.Dial(url, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		const want = "websocket-http=HTTP/1.1; Path=/; SameSite=Strict"
		if got := resp.Header["Set-Cookie"]; len(got) != 1 || got[0] != want {
			t.Errorf("handshake with %s: got %q, want %q", url, got, want)
		}
	}
	page, _ := request(t, "GET", a.web)
	if got := page.Header["Set-Cookie"]; len(got) > 0 {
		t.Errorf("page: got %q", got)
	}
}

func TestHelpNamesHTTP2(t *testing.T) {
	var stdout bytes.Buffer
	run(t.Context(), []string{"-h"}, env("", ""), &stdout, &bytes.Buffer{})
	for _, want := range []string{"GODEBUG=http2xconnect=1", "-h2c"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("help without %q", want)
		}
	}
}
