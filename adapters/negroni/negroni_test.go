package wsnegroni_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/wsecho/adapters/internal/adaptertest"
	wsnegroni "example.com/wsecho/adapters/negroni"
	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
	"github.com/urfave/negroni/v3"
)

func TestMain(m *testing.M) { wstest.Main(m) }

// logging is the end of a pipeline, which logs too.
func logging(lines adaptertest.Log) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lines.Println("next for " + r.URL.Path)
		_, _ = io.WriteString(w, "response of next")
	}
}

// recoveryAndLogger returns handlers that log to the channel.
func recoveryAndLogger() (*negroni.Recovery, *negroni.Logger, adaptertest.Log) {
	lines := adaptertest.NewLog()
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
			synctest.Test(t, func(t *testing.T) {
				recovery, logger, lines := recoveryAndLogger()
				n := test.build(parts{recovery, logger, adapter(middleware.Options{})})
				n.UseHandlerFunc(logging(lines))
				s := wstest.NewServer(t, n)
				adaptertest.WantGet(t, s, "/users", 200, "response of next")
				lines.Want(t, "next for /users", "200 GET /users")
				c := s.Dial("/ws")
				adaptertest.WantEcho(c)
				adaptertest.EndConn(c)
				lines.Want(t, "101 GET /ws")
			})
		})
	}
}

// A refused handshake has been answered; next must not write a second response.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		name, header string
		status       int
		body         string
	}{
		{"origin", "Origin: https://evil.example", 403, "origin \"https://evil.example\" is not allowed to connect to host \"example.com\"\n"},
		{"version", "Sec-WebSocket-Version: 8", 426, "Sec-WebSocket-Version \"8\": must be 13, given once\n"},
		{"key", "Sec-WebSocket-Key: c2hvcnQ=", 400, "Sec-WebSocket-Key \"c2hvcnQ=\": must be 16 bytes in base64\n"},
		{"limit", "Accept: */*", 503, "the limit of 1 WebSocket connections is reached\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				recovery, logger, lines := recoveryAndLogger()
				n := negroni.New(recovery, logger, adapter(middleware.Options{MaxConns: 1}))
				n.UseHandlerFunc(logging(lines))
				s := wstest.NewServer(t, n)
				c := s.Dial("/ws") // takes the only slot
				adaptertest.WantResponse(t, s.Connect().Handshake("/ws", test.header), test.status, test.body)
				lines.Want(t, fmt.Sprintf("%d GET /ws", test.status))
				adaptertest.EndConn(c)
				lines.Want(t, "101 GET /ws")
			})
		})
	}
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
	synctest.Test(t, func(t *testing.T) {
		recovery, logger, lines := recoveryAndLogger()
		n := negroni.New(logger, recovery)
		n.Use(adapter(middleware.Options{
			Handler: middleware.MessageFunc(func(io.Writer, *middleware.Message) error {
				panic("in the WebSocket's handler")
			}),
		}))
		n.UseHandlerFunc(func(http.ResponseWriter, *http.Request) { panic("in next") })
		s := wstest.NewServer(t, n)

		adaptertest.WantGet(t, s, "/users", 500, "500 Internal Server Error")
		lines.Want(t, "panic in next", "500 GET /users")

		c := s.Dial("/ws")
		c.Send(wstest.Text("Hello from the client"))
		c.Want(wstest.Close(1011, "internal server error"))
		_ = c.Conn().Close()
		lines.Want(t, "101 GET /ws")
	})
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
