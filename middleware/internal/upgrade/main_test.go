package upgrade_test

import (
	"bufio"
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"example.com/wsecho/middleware/internal/upgrade"
	"example.com/wsecho/middleware/wstest"
)

// patience bounds every wait for something that is going to happen.
const patience = 10 * time.Second

func TestMain(m *testing.M) { wstest.Main(m) }

type writer = http.ResponseWriter

// switching is a handler that switches protocols through what wrap puts around the server's
// ResponseWriter, and then echoes bytes. It answers with 500 if Check returns an error.
type switching struct {
	t    *testing.T
	wrap func(w writer) writer
	done chan struct{} // closed when the handler returns, which it does once
}

func newSwitching(t *testing.T, wrap func(w writer) writer) *switching {
	return &switching{t, wrap, make(chan struct{})}
}

func (h *switching) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer close(h.done)
	w = h.wrap(w)
	if err := upgrade.Check(w, r); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "echo")
	conn, received, err := upgrade.Accept(w, r, patience)
	if err != nil {
		h.t.Error(err)
		return
	}
	echo(conn, received)
}

// echo sends back what has been received and what follows, and closes conn at the end.
func echo(conn net.Conn, received []byte) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = conn.Write(received)
	_, _ = io.Copy(conn, conn)
}

func (h *switching) wait() { wait(h.t, h.done) }

func wait(t *testing.T, event <-chan struct{}) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(patience):
		t.Fatal("waited for too long")
	}
}

// serve starts a server on TCP and returns what it logs.
func serve(t *testing.T, h http.Handler) (*httptest.Server, *syncBuffer) {
	t.Helper()
	logged := &syncBuffer{}
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(logged, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return s, logged
}

// serveConn serves a single connection, which need not be a socket.
func serveConn(t *testing.T, conn net.Conn, h http.Handler) {
	t.Helper()
	l := make(listener, 1)
	l <- conn
	s := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		wait(t, ended)
	})
}

type listener chan net.Conn

func (l listener) Accept() (net.Conn, error) {
	if conn, ok := <-l; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (l listener) Close() error {
	close(l)
	return nil
}

func (l listener) Addr() net.Addr { return &net.TCPAddr{} }

// client sends and expects bytes as they are.
type client struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func newClient(t *testing.T, conn net.Conn) *client {
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &client{t, conn, bufio.NewReader(conn)}
}

func dial(t *testing.T, s *httptest.Server) *client {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, conn)
}

// pipe returns a client and the server's end of an unbuffered connection.
func pipe(t *testing.T) (*client, net.Conn) {
	c, server := net.Pipe()
	t.Cleanup(func() { _ = server.Close() })
	return newClient(t, c), server
}

const request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"

func (c *client) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, s); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) response() *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp
}

// want reads the bytes expected.
func (c *client) want(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(c.r, got)
	if string(got[:n]) != want {
		c.t.Fatalf("got %.500q, %v; want %.500q", got[:n], err, want)
	}
}

// sendEnd ends the client's stream; what the server still sends can be read.
func (c *client) sendEnd() {
	c.t.Helper()
	if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		c.t.Fatal(err)
	}
}

// wantEnd reads the end of the stream: no further byte, and no reset.
func (c *client) wantEnd() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Fatalf("got %.500q, %v; want the end", rest, err)
	}
}

// syncBuffer is a buffer that several goroutines may use.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
