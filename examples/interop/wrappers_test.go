package interop_test

import (
	"bufio"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	wsnegroni "example.com/wsecho/adapters/negroni"
	"example.com/wsecho/middleware"
	"github.com/urfave/negroni/v3"
)

// unwrapOnly passes h a ResponseWriter that has only Unwrap beside the required methods. A hijack
// through it is reported to the channel.
func unwrapOnly(h http.Handler, hijacked chan<- struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(unwrapper{w, hijackReporter{w, hijacked}}, r)
	})
}

type unwrapper struct {
	http.ResponseWriter
	inner http.ResponseWriter
}

func (u unwrapper) Unwrap() http.ResponseWriter { return u.inner }

type hijackReporter struct {
	http.ResponseWriter
	hijacked chan<- struct{}
}

func (h hijackReporter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	h.hijacked <- struct{}{}
	return http.NewResponseController(h.ResponseWriter).Hijack()
}

func TestNegroniV3OverUnwrap(t *testing.T) {
	lines := make(logLines, 16)
	logger := negroni.NewLogger()
	logger.ALogger = lines
	logger.SetFormat("{{.Status}} {{.Method}} {{.Path}}")
	n := negroni.New(negroni.NewRecovery(), logger, wsnegroni.New(echo(middleware.Options{})))
	n.UseHandler(app())
	hijacked := make(chan struct{}, 1)
	s := serve(t, unwrapOnly(n, hijacked))
	if status, body := get(t, s.URL+"/users"); status != 200 || body != "respond with a resource" {
		t.Errorf("GET /users: %d %q", status, body)
	}
	lines.want(t, "200 GET /users")
	wantEcho(t, s)
	lines.want(t, "101 GET /ws")
	<-hijacked
}

// statusWriter is the wrapper of a hand-written logger, as in many programs: it has Hijack, but no
// Unwrap.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	hijacker, ok := w.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, nil, errors.New("cannot be hijacked")
	}
	return hijacker.Hijack()
}

// Such a logger sees 101, and net/http logs no error about headers written twice or after a hijack.
func TestHandWrittenLogger(t *testing.T) {
	lines, errorLog := make(logLines, 16), make(logLines, 16)
	next := echo(middleware.Options{}).Handler(app())
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sw := &statusWriter{w, http.StatusOK}
		next.ServeHTTP(sw, r)
		lines <- fmt.Sprintf("%d %s %s", sw.status, r.Method, r.URL.Path)
	}))
	s.Config.ErrorLog = log.New(errorLog, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	if status, _ := get(t, s.URL+"/users"); status != 200 {
		t.Errorf("GET /users: %d", status)
	}
	lines.want(t, "200 GET /users")
	wantEcho(t, s)
	lines.want(t, "101 GET /ws")
	s.Close()
	errorLog.wantNone(t)
}

// Over a ResponseWriter that has only Unwrap, its handshake is refused and nothing is hijacked.
func TestHandWrittenLoggerOverUnwrap(t *testing.T) {
	next := echo(middleware.Options{}).Handler(app())
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&statusWriter{ResponseWriter: w}, r)
	})
	hijacked := make(chan struct{}, 1)
	s := serve(t, unwrapOnly(h, hijacked))
	wantRefused(t, s, 500, "the connection cannot be hijacked through a *interop_test.statusWriter: "+
		"put the WebSocket middleware outside of whatever made it, or give it an Unwrap method\n")
	select {
	case <-hijacked:
		t.Error("the connection was hijacked")
	default:
	}
}
