package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const patience = 20 * time.Second

// TestMain is the application itself where a test has started this binary as such; otherwise it
// runs the tests, and sees to it that they leave no goroutine behind.
func TestMain(m *testing.M) {
	if os.Getenv("APP_TEST_AS_APP") != "" {
		main()
	}
	status := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if left := leftover(); status == 0 && left != "" {
		os.Stderr.WriteString("goroutines left behind:\n\n" + left)
		status = 1
	}
	os.Exit(status)
}

// leftover is the stacks of the application's goroutines, once they had time to end.
func leftover() string {
	deadline := time.After(5 * time.Second)
	for {
		buf := make([]byte, 1<<20)
		var left []string
		stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
		for _, stack := range stacks[1:] {
			if strings.Contains(stack, "wsecho") || strings.Contains(stack, "net/http") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return ""
		}
		select {
		case <-deadline:
			return strings.Join(left, "\n\n")
		default:
			runtime.Gosched()
		}
	}
}

// An app is a running application.
type app struct {
	web, ws string      // the URLs that it printed
	lines   chan string // what it prints after them
	stop    func() int  // begins to drain, and returns the exit status
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
	// Read only after the end, when nobody writes any more.
	a.stderr = func() string { a.stop(); return stderr.String() }
	t.Cleanup(func() {
		if status := a.stop(); status != 0 {
			t.Errorf("exit status %d, want 0; stderr: %s", status, stderr.String())
		}
	})
	a.learn(t, receive(t, a.lines))
	return a
}

// learn takes the URLs from the line that says the application listens.
func (a *app) learn(t *testing.T, line string) {
	t.Helper()
	a.web, a.ws, _ = strings.Cut(strings.TrimSuffix(line, ")"), " (WebSocket endpoint ")
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
	case <-time.After(patience):
		t.Fatalf("nothing within %v", patience)
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
		HandshakeTimeout: patience,
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
	c.SetReadDeadline(time.Now().Add(patience))
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
		Timeout: patience,
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

// unixDialer reaches the Unix socket whatever the URL says.
func unixDialer(path string) websocket.Dialer {
	return websocket.Dialer{
		HandshakeTimeout: patience,
		NetDial:          func(_, _ string) (net.Conn, error) { return net.Dial("unix", path) },
	}
}
