package interop_test

import (
	"net/http"
	"testing"

	wsnegroni "example.com/wsecho/adapters/negroni"
	"example.com/wsecho/middleware"
	negroni1 "github.com/urfave/negroni"
)

// The adapter is for negroni v3 and also implements the interface of v1.
var _ negroni1.Handler = (*wsnegroni.Handler)(nil)

// loggerV1 returns negroni v1's logger, whose lines go to the channel.
func loggerV1() (*negroni1.Logger, logLines) {
	lines := make(logLines, 16)
	logger := negroni1.NewLogger()
	logger.ALogger = lines
	logger.SetFormat("{{.Status}} {{.Method}} {{.Path}}")
	return logger, lines
}

func TestNegroniV1(t *testing.T) {
	for _, test := range []struct {
		name  string
		build func(ws negroni1.Handler, logger *negroni1.Logger) *negroni1.Negroni
	}{
		{"New", func(ws negroni1.Handler, logger *negroni1.Logger) *negroni1.Negroni {
			return negroni1.New(negroni1.NewRecovery(), logger, ws)
		}},
		{"Classic", func(ws negroni1.Handler, logger *negroni1.Logger) *negroni1.Negroni {
			n := negroni1.Classic()
			for _, h := range n.Handlers() {
				if classic, ok := h.(*negroni1.Logger); ok {
					*classic = *logger // Its own prints to standard output.
				}
			}
			n.Use(ws)
			return n
		}},
		{"With", func(ws negroni1.Handler, logger *negroni1.Logger) *negroni1.Negroni {
			return negroni1.New(negroni1.NewRecovery(), logger).With(ws)
		}},
		{"Use", func(ws negroni1.Handler, logger *negroni1.Logger) *negroni1.Negroni {
			n := negroni1.New(negroni1.NewRecovery(), logger)
			n.Use(ws)
			return n
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			logger, lines := loggerV1()
			n := test.build(wsnegroni.New(echo(middleware.Options{})), logger)
			wantPipelineV1(t, n, lines)
		})
	}
}

func wantPipelineV1(t *testing.T, n *negroni1.Negroni, lines logLines) {
	t.Helper()
	next := 0
	n.UseHandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next++
		app().ServeHTTP(w, r)
	})
	s := serve(t, n)
	if status, body := get(t, s.URL+"/users"); status != 200 || body != "respond with a resource" {
		t.Errorf("GET /users: %d %q", status, body)
	}
	lines.want(t, "200 GET /users")
	wantEcho(t, s)
	lines.want(t, "101 GET /ws")
	if next != 1 {
		t.Errorf("next was called %d times, want once, for /users", next)
	}
}

// Over a ResponseWriter that can be hijacked only through its Unwrap method, Hijack of v1 fails.
// This is detected before anything is written or hijacked.
func TestNegroniV1OverUnwrap(t *testing.T) {
	logger, lines := loggerV1()
	n := negroni1.New(negroni1.NewRecovery(), logger, wsnegroni.New(echo(middleware.Options{})))
	hijacked := make(chan struct{}, 1)
	s := serve(t, unwrapOnly(n, hijacked))
	wantRefused(t, s, 500, "the connection cannot be hijacked through a *negroni.responseWriter: "+
		"put the WebSocket middleware outside of whatever made it, or give it an Unwrap method\n")
	lines.want(t, "500 GET /ws")
	select {
	case <-hijacked:
		t.Error("the connection was hijacked")
	default:
	}
}

// The remedy that the 500 names: outside of negroni, the same ResponseWriter works.
func TestOutsideNegroniV1OverUnwrap(t *testing.T) {
	logger, lines := loggerV1()
	n := negroni1.New(negroni1.NewRecovery(), logger)
	n.UseHandler(app())
	hijacked := make(chan struct{}, 1)
	s := serve(t, unwrapOnly(echo(middleware.Options{}).Handler(n), hijacked))
	wantEcho(t, s)
	if status, _ := get(t, s.URL+"/users"); status != 200 {
		t.Errorf("GET /users: %d", status)
	}
	lines.want(t, "200 GET /users")
	select {
	case <-hijacked:
	default:
		t.Error("the connection was not hijacked through the ResponseWriter")
	}
}
