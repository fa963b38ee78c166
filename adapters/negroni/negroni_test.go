package wsnegroni_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	wsnegroni "example.com/wsecho/adapters/negroni"
	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
	"github.com/urfave/negroni/v3"
)

// timeout bounds every wait.
const timeout = 10 * time.Second

// logLines is a [negroni.ALogger] that sends each line to a channel.
type logLines chan string

func (l logLines) Println(v ...any)               { l <- fmt.Sprint(v...) }
func (l logLines) Printf(format string, v ...any) { l <- fmt.Sprintf(format, v...) }

// want waits for the next line: a logger prints it after the rest of the pipeline has returned.
func (l logLines) want(t *testing.T, want string) {
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

// recoveryAndLogger returns handlers that log to the channel.
func recoveryAndLogger() (*negroni.Recovery, *negroni.Logger, logLines) {
	lines := make(logLines, 16)
	recovery, logger := negroni.NewRecovery(), negroni.NewLogger()
	recovery.LogStack, recovery.PrintStack = false, false
	recovery.PanicHandlerFunc = func(p *negroni.PanicInformation) {
		lines.Println("panic ", p.RecoveredPanic)
	}
	logger.ALogger = lines
	logger.SetFormat("{{.Status}} {{.Method}} {{.Path}}")
	return recovery, logger, lines
}

// adapter returns the handler under test, which logs nothing.
func adapter(opts middleware.Options) *wsnegroni.Handler {
	opts.Logger = slog.New(slog.DiscardHandler)
	return wsnegroni.New(middleware.New(opts))
}

// nextCalls receives the paths of the requests that reach the end of a pipeline.
type nextCalls chan string

func (n nextCalls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n <- r.URL.Path
	_, _ = io.WriteString(w, "next for "+r.URL.Path)
}

func (n nextCalls) wantNone(t *testing.T) {
	t.Helper()
	select {
	case path := <-n:
		t.Errorf("next was called for %s", path)
	default:
	}
}

func serve(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func get(t *testing.T, s *httptest.Server, path string, h http.Header) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = h
	client := http.Client{Timeout: timeout, Transport: s.Client().Transport}
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

func dial(t *testing.T, s *httptest.Server) *websocket.Conn {
	t.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: timeout}
	c, _, err := dialer.Dial("ws"+s.URL[len("http"):]+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(timeout))
	return c
}

func send(t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func wantText(t *testing.T, c *websocket.Conn, want string) {
	t.Helper()
	messageType, p, err := c.ReadMessage()
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

// parts are the handlers of a pipeline.
type parts struct {
	recovery *negroni.Recovery
	logger   *negroni.Logger
	ws       negroni.Handler
}

// classic returns negroni.Classic with the logger of p, since its own prints to standard output.
func (p parts) classic() *negroni.Negroni {
	n := negroni.Classic()
	for _, h := range n.Handlers() {
		if logger, ok := h.(*negroni.Logger); ok {
			*logger = *p.logger
		}
	}
	return n
}

// However a pipeline is built, requests pass through, and WebSockets are served and logged without
// a call of next.
func TestPipelines(t *testing.T) {
	for _, test := range []struct {
		name  string
		build func(parts) *negroni.Negroni
	}{
		{"New", func(p parts) *negroni.Negroni { return negroni.New(p.recovery, p.logger, p.ws) }},
		{"Classic", func(p parts) *negroni.Negroni { return p.classic().With(p.ws) }},
		{"With", func(p parts) *negroni.Negroni { return negroni.New(p.recovery, p.logger).With(p.ws) }},
		{"Use", func(p parts) *negroni.Negroni {
			n := negroni.New(p.recovery, p.logger)
			n.Use(p.ws)
			return n
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			recovery, logger, lines := recoveryAndLogger()
			next := make(nextCalls, 16)
			n := test.build(parts{recovery, logger, adapter(middleware.Options{})})
			n.UseHandler(next)
			wantPipeline(t, serve(t, n), lines, next)
		})
	}
}

func wantPipeline(t *testing.T, s *httptest.Server, lines logLines, next nextCalls) {
	t.Helper()
	if status, body := get(t, s, "/users", nil); status != 200 || body != "next for /users" {
		t.Errorf("GET /users: %d %q", status, body)
	}
	lines.want(t, "200 GET /users")
	if path := <-next; path != "/users" {
		t.Errorf("next was called for %s", path)
	}
	c := dial(t, s)
	send(t, c, "Hello from the client")
	wantText(t, c, "Hello from the server! You sent: Hello from the client")
	closeConn(t, c)
	lines.want(t, "101 GET /ws")
	next.wantNone(t)
}

// A refused handshake has been answered; next must not write a second response.
func TestRefused(t *testing.T) {
	recovery, logger, lines := recoveryAndLogger()
	next := make(nextCalls, 16)
	n := negroni.New(recovery, logger, adapter(middleware.Options{MaxConns: 1}))
	n.UseHandler(next)
	s := serve(t, n)
	handshake := http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	c := dial(t, s) // takes the only slot
	for _, test := range []struct {
		name, header, value string
		status              int
		body                string
	}{
		{"origin", "Origin", "https://evil.example", 403, fmt.Sprintf("origin \"https://evil.example\" is not allowed to connect to host %q\n", s.Listener.Addr())},
		{"version", "Sec-Websocket-Version", "8", 426, "Sec-WebSocket-Version \"8\": must be 13, given once\n"},
		{"key", "Sec-Websocket-Key", "c2hvcnQ=", 400, "Sec-WebSocket-Key \"c2hvcnQ=\": must be 16 bytes in base64\n"},
		{"limit", "Accept", "*/*", 503, "the limit of 1 WebSocket connections is reached\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := handshake.Clone()
			h.Set(test.header, test.value)
			status, body := get(t, s, "/ws", h)
			if status != test.status || body != test.body {
				t.Errorf("got %d %q, want %d %q", status, body, test.status, test.body)
			}
			lines.want(t, fmt.Sprintf("%d GET /ws", test.status))
			next.wantNone(t)
		})
	}
	closeConn(t, c)
	lines.want(t, "101 GET /ws")
}

// Other requests reach next with negroni's own ResponseWriter and Request.
func TestPassThrough(t *testing.T) {
	upgrade := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}
	for _, test := range []struct {
		name, method, path string
		header             http.Header
	}{
		{"route", "GET", "/users", nil},
		{"plain GET on the path", "GET", "/ws", nil},
		{"POST on the path", "POST", "/ws", nil},
		{"handshake elsewhere", "GET", "/chat", upgrade},
		{"upgrade headers lost", "GET", "/ws", http.Header{"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var before, after recorder
			n := negroni.New(&before, adapter(middleware.Options{}), &after)
			r := httptest.NewRequest(test.method, test.path, strings.NewReader("body"))
			for k, v := range test.header {
				r.Header[k] = v
			}
			n.ServeHTTP(httptest.NewRecorder(), r)
			if _, ok := after.w.(negroni.ResponseWriter); !ok || after != before {
				t.Errorf("next got %T %p, %p, want %T %p, %p",
					after.w, after.w, after.r, before.w, before.w, before.r)
			}
			if after.r != r {
				t.Errorf("next got the request %p, want %p", after.r, r)
			}
		})
	}
}

// recorder is a negroni handler that records its arguments.
type recorder struct {
	w http.ResponseWriter
	r *http.Request
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	rec.w, rec.r = w, r
	next(w, r)
}

// Recovery answers panics of next. A panic of the WebSocket's handler closes the connection with
// 1011 and does not reach recovery.
func TestRecovery(t *testing.T) {
	recovery, logger, lines := recoveryAndLogger()
	n := negroni.New(logger, recovery)
	n.Use(adapter(middleware.Options{
		Handler: middleware.MessageFunc(func(io.Writer, *middleware.Message) error {
			panic("in the WebSocket's handler")
		}),
	}))
	n.UseHandlerFunc(func(http.ResponseWriter, *http.Request) { panic("in next") })
	s := serve(t, n)

	if status, body := get(t, s, "/users", nil); status != 500 || body != "500 Internal Server Error" {
		t.Errorf("GET /users: %d %q", status, body)
	}
	lines.want(t, "panic in next")
	lines.want(t, "500 GET /users")

	c := dial(t, s)
	send(t, c, "Hello from the client")
	wantClose(t, c, websocket.CloseInternalServerErr)
	lines.want(t, "101 GET /ws")
}

// bare is the baseline for measurements of the adapter.
func bare(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) { next(w, r) }

func pipelines() (w http.ResponseWriter, r *http.Request, base, adapted http.Handler) {
	last := negroni.HandlerFunc(func(http.ResponseWriter, *http.Request, http.HandlerFunc) {})
	return httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/users", nil),
		negroni.New(negroni.HandlerFunc(bare), last),
		negroni.New(adapter(middleware.Options{}), last)
}

func TestPassThroughAllocs(t *testing.T) {
	w, r, base, adapted := pipelines()
	want := testing.AllocsPerRun(100, func() { base.ServeHTTP(w, r) })
	got := testing.AllocsPerRun(100, func() { adapted.ServeHTTP(w, r) })
	if got != want {
		t.Errorf("%v allocations per request, want the %v of a handler that calls next", got, want)
	}
}

func BenchmarkPassThrough(b *testing.B) {
	w, r, base, adapted := pipelines()
	for _, bench := range []struct {
		name string
		h    http.Handler
	}{{"bare", base}, {"adapter", adapted}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bench.h.ServeHTTP(w, r)
			}
		})
	}
}
