package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestEcho(t *testing.T) {
	for _, test := range []struct {
		name, message, reply string
		args                 []string
	}{
		{"empty message", "", "Hello from the server! You sent: ", nil},
		{"prefix", "hi", "> hi", []string{"-prefix", "> "}},
		{"no prefix", "hi", "hi", []string{"-prefix", ""}},
		{"compressed", "hi", "Hello from the server! You sent: hi", []string{"-compress"}},
		{"path", "hi", "Hello from the server! You sent: hi", []string{"-path", "/echo"}},
		{"every path", "hi", "Hello from the server! You sent: hi", []string{"-path", "/"}},
		{"TLS", "hi", "Hello from the server! You sent: hi", []string{"-tls"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := start(t, test.args...)
			if got := echo(t, dial(t, a.ws), test.message); got != test.reply {
				t.Errorf("reply %q, want %q", got, test.reply)
			}
		})
	}
}

func TestGreeting(t *testing.T) {
	const want = "Hello from the server! You sent: Hello from the client"
	if got := echo(t, dial(t, start(t).ws), "Hello from the client"); got != want {
		t.Errorf("reply %q, want %q", got, want)
	}
}

func TestTLSServesThePage(t *testing.T) {
	a := start(t, "-tls")
	if !strings.HasPrefix(a.web, "https://") || !strings.HasPrefix(a.ws, "wss://") {
		t.Errorf("listens on %q and %q", a.web, a.ws)
	}
	if resp, _ := request(t, "GET", a.web); resp.StatusCode != 200 {
		t.Errorf("status %d, want 200", resp.StatusCode)
	}
}

func TestReadLimit(t *testing.T) {
	c := dial(t, start(t, "-read-limit", "10").ws)
	if err := c.WriteMessage(websocket.TextMessage, []byte("eleven byte")); err != nil {
		t.Fatal(err)
	}
	wantClose(t, c, websocket.CloseMessageTooBig)
}

func TestMaxConns(t *testing.T) {
	a := start(t, "-max-conns", "1")
	dial(t, a.ws)
	_, resp, err := websocket.DefaultDialer.Dial(a.ws, nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("second connection: %v, %v; want 503", resp, err)
	}
}

func TestOrigin(t *testing.T) {
	a := start(t, "-origin", "https://one.example", "-origin", "https://*.two.example")
	for _, test := range []struct {
		origin string
		status int
	}{
		{"https://one.example", 101},
		{"https://www.two.example", 101},
		{strings.TrimSuffix(a.web, "/"), 101},
		{"https://three.example", 403},
	} {
		c, resp, _ := websocket.DefaultDialer.Dial(a.ws, http.Header{"Origin": {test.origin}})
		if c != nil {
			c.Close()
		}
		if resp == nil || resp.StatusCode != test.status {
			t.Errorf("origin %s: %v, want status %d", test.origin, resp, test.status)
		}
	}
}

func TestPingInterval(t *testing.T) {
	c := dial(t, start(t, "-ping-interval", "10ms").ws)
	pinged := errors.New("pinged")
	c.SetPingHandler(func(string) error { return pinged })
	if _, _, err := c.ReadMessage(); !errors.Is(err, pinged) {
		t.Errorf("read: %v, want a ping", err)
	}
}

func TestDebugListener(t *testing.T) {
	a := start(t, "-debug-addr", "127.0.0.1:0")
	url := strings.TrimPrefix(a.waitLine(t, "Debugging on "), "Debugging on ")
	if !strings.HasSuffix(url, "/debug/pprof/") {
		t.Fatalf("debugging on %q", url)
	}
	vars := strings.TrimSuffix(url, "pprof/") + "vars"
	for _, test := range []struct {
		url    string
		status int
		body   string
	}{
		{url, 200, "goroutine"},
		{url + "goroutine?debug=1", 200, "goroutine profile: total"},
		{vars, 200, `"memstats"`},
		{a.web + "debug/pprof/", 404, "<h1>Not Found</h1>"},
		{a.web + "debug/vars", 404, "<h1>Not Found</h1>"},
	} {
		resp, body := request(t, "GET", test.url)
		if resp.StatusCode != test.status || !strings.Contains(body, test.body) {
			t.Errorf("%s: status %d, body %.200q", test.url, resp.StatusCode, body)
		}
	}
}

func TestAccessLog(t *testing.T) {
	a := start(t)
	for _, test := range []struct{ method, path, line string }{
		{"GET", "users", `^GET /users 200 \d+\.\d{3} ms - 23$`},
		{"GET", "users?a=b%20c", `^GET /users\?a=b%20c 200 \d+\.\d{3} ms - 23$`},
		{"HEAD", "", `^HEAD / 200 \d+\.\d{3} ms - -$`},
		{"GET", "nothing", `^GET /nothing 404 \d+\.\d{3} ms - \d+$`},
		{"POST", "", `^POST / 405 \d+\.\d{3} ms - 19$`},
	} {
		request(t, test.method, a.web+test.path)
		if line := receive(t, a.lines); !regexp.MustCompile(test.line).MatchString(line) {
			t.Errorf("%s /%s: logged %q, want %s", test.method, test.path, line, test.line)
		}
	}
	dial(t, a.ws).Close()
	line := a.waitLine(t, "GET /ws ")
	if want := `^GET /ws 101 \d+\.\d{3} ms - -$`; !regexp.MustCompile(want).MatchString(line) {
		t.Errorf("logged %q, want %s", line, want)
	}
}

func TestQuiet(t *testing.T) {
	a := start(t, "-quiet")
	request(t, "GET", a.web)
	c := dial(t, a.ws)
	echo(t, c, "hi")
	go c.ReadMessage() // answers the close frame
	a.stop()
	wantLines(t, a.lines, drainLine(1), drainedLine)
	for line := range a.lines {
		t.Errorf("printed %q, want nothing more", line)
	}
}

const drainedLine = "Drained: all connections have ended"

// drainLine is what the application prints on a signal.
func drainLine(open int) string {
	return fmt.Sprintf("Draining for up to 10s, or until a second signal; open WebSockets: %d", open)
}

func wantLines(t *testing.T, lines <-chan string, want ...string) {
	t.Helper()
	for _, want := range want {
		if got := receive(t, lines); got != want {
			t.Errorf("printed %q, want %q", got, want)
		}
	}
}

func TestDrainRunsOut(t *testing.T) {
	var stderr bytes.Buffer
	cmd, lines := process(t, &stderr, "-drain", "50ms")
	// This client never answers a close frame.
	a := &app{}
	a.parseURLs(t, receive(t, lines))
	for range 2 {
		echo(t, dial(t, a.ws), "hi")
		receive(t, lines) // of the access log
	}
	kill(t, cmd, syscall.SIGTERM)
	wantLines(t, lines, "Draining for up to 50ms, or until a second signal; open WebSockets: 2")
	wait(t, cmd)
	const want = `msg="drain timeout exceeded: connections were cut" drain=50ms websockets=2` + "\n"
	if got := cmd.ProcessState.ExitCode(); got != 0 || !strings.Contains(stderr.String(), want) {
		t.Errorf("exit status %d, stderr %q", got, stderr.String())
	}
}

func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			var stderr bytes.Buffer
			cmd, lines := process(t, &stderr)
			a := &app{}
			a.parseURLs(t, receive(t, lines))
			c := dial(t, a.ws)
			echo(t, c, "hi")
			if line := receive(t, lines); !strings.HasPrefix(line, "GET /ws 101 ") {
				t.Errorf("printed %q, want the access log", line)
			}
			kill(t, cmd, sig)
			wantClose(t, c, websocket.CloseGoingAway)
			c.Close()
			wantLines(t, lines, drainLine(1), drainedLine)
			wait(t, cmd)
			if got := cmd.ProcessState.ExitCode(); got != 0 {
				t.Errorf("exit status %d, want 0; stderr: %s", got, stderr.String())
			}
			if stderr.Len() > 0 {
				t.Errorf("stderr %q, want nothing", stderr.String())
			}
		})
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	cmd, lines := process(t, io.Discard, "-drain", "1h")
	a := &app{}
	a.parseURLs(t, receive(t, lines))
	c := dial(t, a.ws)
	c.SetCloseHandler(func(int, string) error { return nil })
	kill(t, cmd, syscall.SIGTERM)
	wantClose(t, c, websocket.CloseGoingAway)
	kill(t, cmd, syscall.SIGTERM)
	wait(t, cmd)
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended with %v, want SIGTERM", cmd.ProcessState)
	}
}

// process runs the application in a separate process.
func process(t *testing.T, stderr io.Writer, args ...string) (*exec.Cmd, <-chan string) {
	t.Helper()
	args = append([]string{"-addr", "127.0.0.1:0"}, args...)
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "APP_TEST_AS_APP=1")
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	go func() {
		for s := bufio.NewScanner(stdout); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return cmd, lines
}

func kill(t *testing.T, cmd *exec.Cmd, sig syscall.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

func wait(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(timeout):
		t.Fatalf("the process did not end within %v", timeout)
	}
}

func wantClose(t *testing.T, c *websocket.Conn, code int) {
	t.Helper()
	_, _, err := c.ReadMessage()
	if !websocket.IsCloseError(err, code) {
		t.Fatalf("read: %v, want close code %d", err, code)
	}
}
