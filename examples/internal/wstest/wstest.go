// Package wstest tests the programs in examples as their clients see them.
package wstest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
	"github.com/gorilla/websocket"
)

// Timeout bounds every wait.
const Timeout = 10 * time.Second

// Main runs the tests of a program and fails if goroutines outlive them. TestMain calls it.
func Main(m *testing.M) { wstest.Main(m) }

// Until waits until the condition holds.
func Until(t *testing.T, name string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Timeout); !condition(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", Timeout, name)
		}
	}
}

// Serve serves h until the test ends, and returns the URL without a slash at the end.
func Serve(t *testing.T, h http.Handler) (url string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// A Client is a WebSocket client whose errors are those of the test.
type Client struct {
	*websocket.Conn

	t *testing.T
}

// Dial connects to the http URL with additional headers, and disconnects at the end of the test.
func Dial(t *testing.T, url string, header http.Header) *Client {
	t.Helper()
	conn, status, err := dial(url, header)
	if err != nil {
		t.Fatalf("dial %s: %v, status %d", url, err, status)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(Timeout))
	return &Client{conn, t}
}

// WantStatus fails the test unless the handshake gets the status.
func WantStatus(t *testing.T, url string, header http.Header, want int) {
	t.Helper()
	conn, status, err := dial(url, header)
	if err == nil {
		_ = conn.Close()
	}
	if status != want {
		t.Errorf("dial %s with %v: status %d, want %d", url, header, status, want)
	}
}

func dial(url string, header http.Header) (conn *websocket.Conn, status int, err error) {
	dialer := websocket.Dialer{HandshakeTimeout: Timeout}
	conn, resp, err := dialer.Dial("ws"+strings.TrimPrefix(url, "http"), header)
	if resp != nil {
		status = resp.StatusCode
	}
	return conn, status, err
}

// Send sends a text message.
func (c *Client) Send(text string) {
	c.t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// Receive returns the next message.
func (c *Client) Receive() string {
	c.t.Helper()
	_, p, err := c.ReadMessage()
	if err != nil {
		c.t.Fatal(err)
	}
	return string(p)
}

// Want fails the test unless the next messages are these.
func (c *Client) Want(texts ...string) {
	c.t.Helper()
	for _, want := range texts {
		if got := c.Receive(); got != want {
			c.t.Errorf("received %q, want %q", got, want)
		}
	}
}

// WantClose fails the test unless the server closes next, for the reason.
func (c *Client) WantClose(code int, reason string) {
	c.t.Helper()
	_, p, err := c.ReadMessage()
	closed, want := (*websocket.CloseError)(nil), websocket.CloseError{Code: code, Text: reason}
	if !errors.As(err, &closed) || *closed != want {
		c.t.Errorf("received %q, %v; want close %d %q", p, err, code, reason)
	}
}

// SendWhenClosed makes the client send text after the close frame that it gets, before its own.
func (c *Client) SendWhenClosed(text string) {
	c.SetCloseHandler(func(code int, _ string) error {
		c.Send(text)
		return c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""))
	})
}

// Messages are those that a handler has answered.
type Messages struct {
	mu    sync.Mutex
	texts []string
	ended bool
}

// Of is PerConn(begin) for one connection, whose messages it records.
func (m *Messages) Of(
	begin func(ctx context.Context, c *middleware.Conn) (middleware.MessageFunc, error),
) middleware.Handler {
	return middleware.HandlerFunc(func(ctx context.Context, c *middleware.Conn) error {
		defer func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.ended = true
		}()
		answer, err := begin(ctx, c)
		if err != nil {
			return err
		}
		return middleware.MessageFunc(func(w io.Writer, message *middleware.Message) error {
			m.mu.Lock()
			m.texts = append(m.texts, string(message.Data))
			m.mu.Unlock()
			return answer(w, message)
		}).ServeConn(ctx, c)
	})
}

// Want waits for the end of the connection, when these must have been all messages.
func (m *Messages) Want(t *testing.T, texts ...string) {
	t.Helper()
	Until(t, "the handler returns", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.ended
	})
	if !slices.Equal(m.texts, texts) {
		t.Errorf("handled %q, want %q", m.texts, texts)
	}
}
