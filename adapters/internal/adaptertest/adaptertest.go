// Package adaptertest is what the tests of the adapters share. It works in bubbles of
// testing/synctest.
package adaptertest

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"

	"example.com/wsecho/middleware/wstest"
)

// Log holds the lines that are written to it. It is a negroni.ALogger, and an io.Writer that takes
// each write for a line.
type Log chan string

// NewLog returns a log for 16 lines.
func NewLog() Log { return make(Log, 16) }

// Println logs a line.
func (l Log) Println(v ...any) { l <- fmt.Sprint(v...) }

// Printf logs a line.
func (l Log) Printf(format string, v ...any) { l <- fmt.Sprintf(format, v...) }

// Write logs a line.
func (l Log) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// Want wants all lines since the last call. Loggers of requests print theirs after everybody else has
// returned.
func (l Log) Want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	var got []string
	for len(l) > 0 {
		got = append(got, <-l)
	}
	if !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
}

// WantGet wants a response to a GET.
func WantGet(t *testing.T, s *wstest.Server, path string, status int, body string) {
	t.Helper()
	resp, err := s.Client().Get("http://example.com" + path)
	if err != nil {
		t.Fatal(err)
	}
	WantResponse(t, resp, status, body)
}

// WantResponse wants a response, and closes its body.
func WantResponse(t *testing.T, resp *http.Response, status int, body string) {
	t.Helper()
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if resp.StatusCode != status || string(got) != body || err != nil {
		t.Errorf("got %d %q, %v; want %d %q", resp.StatusCode, got, err, status, body)
	}
}

// WantEcho wants a greeting for a message.
func WantEcho(c *wstest.Client) {
	c.Send(wstest.Text("Hello from the client"))
	c.Want(wstest.Text("Hello from the server! You sent: Hello from the client"))
}

// EndConn performs the closing handshake.
func EndConn(c *wstest.Client) {
	c.Send(wstest.Close(1000, ""))
	c.Want(wstest.Close(1000, ""))
	c.WantEnd()
	_ = c.Conn().Close()
}
