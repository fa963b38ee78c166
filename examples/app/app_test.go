package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware/wstest"
	"github.com/gorilla/websocket"
)

const timeout = 20 * time.Second

// TestMain runs the application if a test has started this binary as such; otherwise it runs the
// tests and checks that they leak no goroutines.
func TestMain(m *testing.M) {
	if os.Getenv("APP_TEST_AS_APP") != "" {
		main()
	}
	// The one that os/signal starts stays.
	_, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	stop()
	wstest.Main(m)
}

// An app is a running application.
type app struct {
	web, ws string      // the URLs that it printed
	note    string      // what it printed behind them
	lines   chan string // printed after the URLs
	stop    func() int  // drains, and returns the exit status
	stderr  func() string
}

// start runs the application on a port of its own until the test ends, when it must exit with
// status 0.
func start(t *testing.T, args ...string) *app {
	t.Helper()
	return startAs(t, nil, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
}

func startAs(t *testing.T, env map[string]string, args ...string) *app {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stdout, printed := io.Pipe()
	var stderr strings.Builder
	exit := make(chan int, 1)
	go func() {
		exit <- run(ctx, args, func(key string) string { return env[key] }, printed, &stderr)
		printed.Close()
	}()
	a := &app{lines: make(chan string, 1000)}
	go func() {
		defer close(a.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			a.lines <- s.Text()
		}
	}()
	status := -1
	a.stop = func() int {
		cancel()
		if status == -1 {
			status = receive(t, exit)
		}
		return status
	}
	// Reading after the end avoids a race with the writer.
	a.stderr = func() string { a.stop(); return stderr.String() }
	t.Cleanup(func() {
		if status := a.stop(); status != 0 {
			t.Errorf("exit status %d, want 0; stderr: %s", status, stderr.String())
		}
	})
	a.parseURLs(t, receive(t, a.lines))
	return a
}

// parseURLs parses the first line that the application prints.
func (a *app) parseURLs(t *testing.T, line string) {
	t.Helper()
	a.web, a.ws, _ = strings.Cut(line, " (WebSocket endpoint ")
	a.ws, a.note, _ = strings.Cut(a.ws, ")")
	listening := false
	a.web, listening = strings.CutPrefix(a.web, "Listening on ")
	if !listening {
		t.Fatalf("printed %q, want it to begin with %q", line, "Listening on ")
	}
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(timeout):
		t.Fatalf("nothing within %v", timeout)
		panic("unreachable")
	}
}

// waitLine waits for a line that begins with prefix.
func (a *app) waitLine(t *testing.T, prefix string) string {
	t.Helper()
	for {
		line := receive(t, a.lines)
		if line == "" || strings.HasPrefix(line, prefix) {
			return line
		}
	}
}

func dial(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	dialer := websocket.Dialer{
		HandshakeTimeout: timeout,
		TLSClientConfig:  &tls.Config{InsecureSkipVerify: true},
	}
	return dialWith(t, dialer, url)
}

func dialWith(t *testing.T, dialer websocket.Dialer, url string) *websocket.Conn {
	t.Helper()
	c, resp, err := dialer.Dial(url, nil)
	if err != nil {
		t.Fatalf("dial %s: %v (%v)", url, err, resp)
	}
	t.Cleanup(func() { c.Close() })
	c.SetReadDeadline(time.Now().Add(timeout))
	return c
}

func echo(t *testing.T, c *websocket.Conn, message string) string {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		t.Fatal(err)
	}
	_, reply, err := c.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	return string(reply)
}

// client follows no redirects, keeps no connections, and trusts every certificate.
func client() *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func request(t *testing.T, method, url string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// unixDialer connects to the Unix socket, whatever the URL.
func unixDialer(path string) websocket.Dialer {
	return websocket.Dialer{
		HandshakeTimeout: timeout,
		NetDial:          func(_, _ string) (net.Conn, error) { return net.Dial("unix", path) },
	}
}
