package wsgin_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	wsgin "example.com/wsecho/adapters/gin"
	"example.com/wsecho/middleware"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
)

// timeout bounds every wait.
const timeout = 10 * time.Second

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode) // prints nothing
	before := runtime.NumGoroutine()
	code := m.Run()
	if code == 0 && !goroutinesEnd(before) {
		fmt.Fprintln(os.Stderr, "the tests leaked goroutines:")
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
}

// goroutinesEnd reports whether the number of goroutines falls to n before the timeout.
func goroutinesEnd(n int) bool {
	http.DefaultClient.CloseIdleConnections()
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); runtime.Gosched() {
		if runtime.NumGoroutine() <= n {
			return true
		}
	}
	return false
}

// lines is a writer that sends what is written to a channel.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func (l lines) want(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-l:
		if got != want {
			t.Errorf("logged %q, want %q", got, want)
		}
	case <-time.After(timeout):
		t.Fatalf("logged nothing, want %q", want)
	}
}

func (l lines) wantNone(t *testing.T) {
	t.Helper()
	select {
	case got := <-l:
		t.Errorf("logged %q", got)
	default:
	}
}

// site is a running gin server and its logs.
type site struct {
	engine   *gin.Engine
	server   *httptest.Server
	requests lines // of gin.Logger
	panics   lines // of recovery
	reached  lines // paths of the requests that reach the route's handlers
	errors   lines // of http.Server, above all about writes to a hijacked connection
}

// newSite serves an engine with logger, recovery, ws, and the route /users.
func newSite(t *testing.T, ws gin.HandlerFunc) *site {
	t.Helper()
	s := &site{gin.New(), nil, make(lines, 16), make(lines, 16), make(lines, 16), make(lines, 16)}
	s.engine.Use(
		gin.LoggerWithConfig(gin.LoggerConfig{Output: s.requests, Formatter: formatLine}),
		gin.CustomRecoveryWithWriter(nil, func(c *gin.Context, p any) {
			_, _ = fmt.Fprint(s.panics, p)
			c.AbortWithStatus(http.StatusInternalServerError)
		}),
		ws,
	)
	s.engine.GET("/users", s.respond)
	s.server = httptest.NewUnstartedServer(s.engine)
	s.server.Config.ErrorLog = log.New(s.errors, "", 0)
	s.server.Start()
	t.Cleanup(s.server.Close)
	return s
}

func formatLine(p gin.LogFormatterParams) string {
	return fmt.Sprintf("%d %s %s", p.StatusCode, p.Method, p.Path)
}

func (s *site) respond(c *gin.Context) {
	s.reached <- c.Request.URL.Path
	c.String(http.StatusOK, "route for %s", c.Request.URL.Path)
}

// wantQuiet closes the server, after which the logs are complete, and wants them empty.
func (s *site) wantQuiet(t *testing.T) {
	t.Helper()
	s.server.Close()
	s.errors.wantNone(t)
	s.panics.wantNone(t)
	s.reached.wantNone(t)
}

// adapter returns the handler under test, which logs nothing.
func adapter(opts middleware.Options) gin.HandlerFunc {
	opts.Logger = slog.New(slog.DiscardHandler)
	return wsgin.New(middleware.New(opts))
}

func get(t *testing.T, s *site, path string, h http.Header) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = h
	client := http.Client{Timeout: timeout, Transport: s.server.Client().Transport}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func dial(t *testing.T, s *site, path string) *websocket.Conn {
	t.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: timeout}
	c, _, err := dialer.Dial("ws"+s.server.URL[len("http"):]+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(timeout))
	return c
}

func wantEcho(t *testing.T, c *websocket.Conn) {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte("Hello from the client")); err != nil {
		t.Fatal(err)
	}
	messageType, p, err := c.ReadMessage()
	const want = "Hello from the server! You sent: Hello from the client"
	if messageType != websocket.TextMessage || string(p) != want {
		t.Fatalf("got message %d %q, %v; want text %q", messageType, p, err, want)
	}
}

func wantClose(t *testing.T, c *websocket.Conn, code int) {
	t.Helper()
	_, p, err := c.ReadMessage()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != code {
		t.Fatalf("got %q, %v; want close %d", p, err, code)
	}
}

// closeConn performs the closing handshake.
func closeConn(t *testing.T, c *websocket.Conn) {
	t.Helper()
	closeFrame := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := c.WriteMessage(websocket.CloseMessage, closeFrame); err != nil {
		t.Fatal(err)
	}
	wantClose(t, c, websocket.CloseNormalClosure)
}
