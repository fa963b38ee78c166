package wsgin_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	wsgin "example.com/wsecho/adapters/gin"
	"example.com/wsecho/adapters/internal/adaptertest"
	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
	"github.com/gin-gonic/gin"
)

// Requests pass through. WebSockets are served and logged whatever else is routed on their path,
// and nothing is written to them after they end.
func TestEcho(t *testing.T) {
	for _, test := range []struct {
		name  string
		opts  middleware.Options
		path  string
		route func(*site)
	}{
		{"no route", middleware.Options{}, "/ws", func(*site) {}},
		{"route on the path", middleware.Options{}, "/ws", func(s *site) { s.engine.GET("/ws", s.respond) }},
		{"route of another method", middleware.Options{}, "/ws", func(s *site) { s.engine.POST("/ws", s.respond) }},
		{"method not allowed", middleware.Options{}, "/ws", func(s *site) {
			s.engine.HandleMethodNotAllowed = true
			s.engine.POST("/ws", s.respond)
		}},
		{"NoRoute", middleware.Options{}, "/ws", func(s *site) { s.engine.NoRoute(s.respond) }},
		{"handler behind", middleware.Options{}, "/ws", func(s *site) { s.engine.Use(s.respond) }},
		{"subtree", middleware.Options{Path: "/live/"}, "/live/a", func(*site) {}},
		{"detached", middleware.Options{Detach: true}, "/ws", func(s *site) { s.engine.NoRoute(s.respond) }},
		{"compression", middleware.Options{Compression: true}, "/ws", func(*site) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, adapter(test.opts))
				test.route(s)
				adaptertest.WantGet(t, s.Server, "/users", 200, "response")
				s.log.Want(t, "route for /users", "200 GET /users")
				c := s.Dial(test.path)
				adaptertest.WantEcho(c)
				adaptertest.EndConn(c)
				s.log.Want(t, "101 GET "+test.path)
			})
		})
	}
}

// With Detach, the logger prints its line when the connection begins.
func TestDetached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, adapter(middleware.Options{Detach: true}))
		c := s.Dial("/ws")
		s.log.Want(t, "101 GET /ws")
		adaptertest.WantEcho(c)
		adaptertest.EndConn(c)
		s.log.Want(t)
	})
}

// A route that serves only WebSockets needs no adapter.
func TestEndpoint(t *testing.T) {
	for _, detach := range []bool{false, true} {
		t.Run(fmt.Sprintf("detach=%t", detach), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, func(*gin.Context) {})
				logger := slog.New(slog.DiscardHandler)
				ws := middleware.New(middleware.Options{Detach: detach, Logger: logger})
				s.engine.GET("/ws", gin.WrapH(ws))
				c := s.Dial("/ws")
				adaptertest.WantEcho(c)
				adaptertest.EndConn(c)
				s.log.Want(t, "101 GET /ws")
				adaptertest.WantGet(t, s.Server, "/ws", 426, "this is a WebSocket endpoint: "+
					"send a handshake with \"Connection: Upgrade\" and \"Upgrade: websocket\"\n")
				s.log.Want(t, "426 GET /ws")
			})
		})
	}
}

// A refused handshake has been answered; gin must not write a second response.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		name, header string
		status       int
		body         string
	}{
		{"version", "Sec-WebSocket-Version: 8", 426, "Sec-WebSocket-Version \"8\": must be 13, given once\n"},
		{"key", "Sec-WebSocket-Key: c2hvcnQ=", 400, "Sec-WebSocket-Key \"c2hvcnQ=\": must be 16 bytes in base64\n"},
		{"limit", "Accept: */*", 503, "the limit of 1 WebSocket connections is reached\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, adapter(middleware.Options{MaxConns: 1}))
				s.engine.NoRoute(s.respond)
				c := s.Dial("/ws") // takes the only slot
				adaptertest.WantResponse(t, s.Connect().Handshake("/ws", test.header), test.status, test.body)
				s.log.Want(t, fmt.Sprintf("%d GET /ws", test.status))
				adaptertest.EndConn(c)
				s.log.Want(t, "101 GET /ws")
			})
		})
	}
}

// Other requests reach the next handler with gin's own writer and request.
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
			engine := gin.New()
			engine.Use(before.record, adapter(middleware.Options{}), after.record)
			r := httptest.NewRequest(test.method, test.path, nil)
			for k, v := range test.header {
				r.Header[k] = v
			}
			engine.ServeHTTP(httptest.NewRecorder(), r)
			if after != before || after.w == nil || after.r != r {
				t.Errorf("next got %p, %p; want %p, %p", after.w, after.r, before.w, r)
			}
		})
	}
}

// recorder is a handler that records its arguments.
type recorder struct {
	w gin.ResponseWriter
	r *http.Request
}

func (rec *recorder) record(c *gin.Context) { rec.w, rec.r = c.Writer, c.Request }

// A handshake whose upgrade headers a proxy has removed is passed on, with a warning.
func TestStripped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		opts := &slog.HandlerOptions{ReplaceAttr: withoutTimeAndRemote}
		logger := slog.New(slog.NewTextHandler(&log, opts))
		s := newSite(t, wsgin.New(middleware.New(middleware.Options{Logger: logger})))
		s.engine.GET("/ws", s.respond)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://example.com/ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Connection": {"Upgrade"}}
		resp, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		adaptertest.WantResponse(t, resp, 200, "response")
		s.log.Want(t, "route for /ws", "200 GET /ws")
		const want = `level=WARN msg="WebSocket handshake without \"Upgrade: websocket\": a proxy in front ` +
			`has probably removed it, and must be told to forward Upgrade and Connection" path=/ws` + "\n"
		if log.String() != want {
			t.Errorf("logged %q, want %q", log.String(), want)
		}
	})
}

// withoutTimeAndRemote drops the attributes that vary between runs.
func withoutTimeAndRemote(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey || a.Key == "remote" {
		return slog.Attr{}
	}
	return a
}

// Recovery answers panics of other handlers. A panic of the WebSocket's handler closes the
// connection with 1011 and does not reach recovery.
func TestRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, adapter(middleware.Options{
			Handler: middleware.MessageFunc(func(io.Writer, *middleware.Message) error {
				panic("in the WebSocket's handler")
			}),
		}))
		s.engine.GET("/panics", func(*gin.Context) { panic("in a route") })
		adaptertest.WantGet(t, s.Server, "/panics", 500, "")
		s.log.Want(t, "panic in a route", "500 GET /panics")

		c := s.Dial("/ws")
		c.Send(wstest.Text("Hello from the client"))
		c.Want(wstest.Close(1011, "internal server error"))
		_ = c.Conn().Close()
		s.log.Want(t, "101 GET /ws")
	})
}

// A detached connection outlives its request and gin's context, which gin reuses.
func TestRequestOutlivesContext(t *testing.T) {
	answer := middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
		for {
			typ, p, err := c.ReadMessage()
			if err != nil {
				return err
			}
			reply := fmt.Appendf(p, " for %s", c.Request().URL)
			if err := c.WriteMessage(typ, reply); err != nil {
				return err
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, adapter(middleware.Options{Detach: true, Handler: answer}))
		c := s.Dial("/ws?name=a")
		s.log.Want(t, "101 GET /ws?name=a")
		adaptertest.WantGet(t, s.Server, "/users?name=b", 200, "response") // reuses the context of the first request
		s.log.Want(t, "route for /users", "200 GET /users?name=b")
		c.Send(wstest.Text("hello"))
		c.Want(wstest.Text("hello for /ws?name=a"))
		adaptertest.EndConn(c)
		s.log.Want(t)
	})
}

func TestPassThroughAllocs(t *testing.T) {
	c := gin.CreateTestContextOnly(httptest.NewRecorder(), gin.New())
	c.Request = httptest.NewRequest(http.MethodGet, "/users", nil)
	h := adapter(middleware.Options{})
	if got := testing.AllocsPerRun(100, func() { h(c) }); got != 0 {
		t.Errorf("%v allocations per request, want none", got)
	}
}
