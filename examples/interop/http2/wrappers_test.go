package http2_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
	"example.com/wsecho/middleware"
	"github.com/felixge/httpsnoop"
	chimw "github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/handlers"
	"github.com/klauspost/compress/gzhttp"
	"github.com/urfave/negroni/v3"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

// Wrappers around the ResponseWriter see the 200 and may add headers to it, but the frames go by
// them: none is compressed.
func TestWrappers(t *testing.T) {
	const reset = "reset: INTERNAL_ERROR"
	for _, test := range []struct {
		name    string
		wrap    func(http.Handler) http.Handler
		headers string // of the response
		end     string // the error after the close frame
	}{
		{"gorilla/handlers gzip", handlers.CompressHandler, "vary: Accept-Encoding\n", reset},
		{"klauspost gzip", func(h http.Handler) http.Handler { return gzhttp.GzipHandler(h) }, "vary: Accept-Encoding\n", ""},
		{"chi gzip", chimw.Compress(5), "", ""},
		{"httpsnoop", snoop, "", ""},
		{"negroni v3", overNegroni, "", ""},
		{"gzip with the status", lateGzip, "content-encoding: gzip\n", reset},
		{"OpenTelemetry", func(h http.Handler) http.Handler { return otelhttp.NewHandler(h, "") }, "", ""},
		{"cookie with the status", lateCookie, "set-cookie: session=1\n", ""},
		{"headers of a body", func(h http.Handler) http.Handler {
			return setHeaders(h, "Content-Type", "text/html", "Content-Length", "5", "Content-Encoding", "br",
				"Connection", "close", "Keep-Alive", "timeout=5", "Upgrade", "h2c", "Transfer-Encoding", "chunked",
				"X-Frame-Options", "DENY")
		}, "x-frame-options: DENY\n", reset},
		{"two", func(h http.Handler) http.Handler { return handlers.CompressHandler(snoop(h)) }, "vary: Accept-Encoding\n", reset},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log strings.Builder
			m := echo(middleware.Options{})
			h := logged(test.wrap(m.Handler(app())), &log)
			e := newEndings(t)
			c := dial(t, serve(t, e.around(h)))
			ws := c.connect("accept-encoding= gzip, deflate, br, zstd")
			if got := ws.headers(); got != test.headers {
				t.Errorf("got %q, want %q", got, test.headers)
			}
			large := strings.Repeat("x", 5000)
			ws.send(text(large) + bye)
			ws.want(reply(0x81, large) + byeBack)
			// gorilla/handlers ends its gzip stream, which would be bytes behind the close frame.
			end := ""
			if rest, err := io.ReadAll(ws); len(rest) > 0 {
				t.Errorf("behind the close frame: %q", rest)
			} else if err != nil {
				end = err.Error()
			}
			if end != test.end {
				t.Errorf("ended with %q, want %q", end, test.end)
			}
			receive(t, e.returned)
			if got := log.String(); got != "200 CONNECT" {
				t.Errorf("logged %q", got)
			}
			if c.isGoingAway() {
				t.Error("the connection has ended")
			}
		})
	}
}

// logged notes the status and the method of the last request.
func logged(h http.Handler, log *strings.Builder) http.Handler {
	return handlers.CustomLoggingHandler(io.Discard, h, func(_ io.Writer, p handlers.LogFormatterParams) {
		fmt.Fprintf(log, "%d %s", p.StatusCode, p.Request.Method)
	})
}

func snoop(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(httpsnoop.Wrap(w, httpsnoop.Hooks{}), r)
	})
}

func overNegroni(h http.Handler) http.Handler {
	n := negroni.New()
	n.UseHandler(h)
	return n
}

// cookieWriter adds a cookie when it sees the status, as session managers do.
type cookieWriter struct{ http.ResponseWriter }

func (w cookieWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w cookieWriter) WriteHeader(status int) {
	w.Header().Set("Set-Cookie", "session=1")
	w.ResponseWriter.WriteHeader(status)
}

func lateCookie(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(cookieWriter{w}, r)
	})
}

// gzipWriter announces what it compresses when it sees the status.
type gzipWriter struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (w gzipWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w gzipWriter) Write(p []byte) (int, error) { return w.z.Write(p) }

func (w gzipWriter) WriteHeader(status int) {
	w.Header().Set("Content-Encoding", "gzip")
	w.ResponseWriter.WriteHeader(status)
}

func lateGzip(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		z := gzip.NewWriter(w)
		defer z.Close()
		h.ServeHTTP(gzipWriter{w, z}, r)
	})
}

func setHeaders(h http.Handler, pairs ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			w.Header().Set(pairs[i], pairs[i+1])
		}
		h.ServeHTTP(w, r)
	})
}

// A limit for the bodies of requests counts all that a stream receives, and says so.
func TestMaxBytesHandler(t *testing.T) {
	e := newEndings(t)
	logged := program.NewLog()
	m := echo(e.watch(middleware.Options{Logger: slog.New(slog.NewTextHandler(logged, nil))}))
	const reason = "a handler outside limits the body of the request to 15 bytes"
	ws := dial(t, serve(t, http.MaxBytesHandler(e.around(m), int64(len(hello)+4)))).connect()
	ws.send(hello + hello)
	ws.want(helloBack + closeReply(1009, reason))
	ws.wantEnd()
	e.wantClosed(1009, false)
	logged.Want(t, "level=WARN msg=\"WebSocket connection failed\" remote=")
	logged.Want(t, " path=/ws code=1009 reason=\""+reason+"\"\n")
}

// hiding is a wrapper that hides what it wraps.
type hiding struct{ w http.ResponseWriter }

func (w hiding) Header() http.Header         { return w.w.Header() }
func (w hiding) Write(p []byte) (int, error) { return w.w.Write(p) }
func (w hiding) WriteHeader(status int)      { w.w.WriteHeader(status) }
func (w hiding) Flush()                      { w.w.(http.Flusher).Flush() }

// A wrapper that hides the stream is named in a refusal.
func TestHidingWrapper(t *testing.T) {
	m := echo(middleware.Options{})
	for _, test := range []struct {
		name string
		h    http.Handler
		want string
	}{
		{"no Unwrap", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.ServeHTTP(hiding{w}, r) }), "http2_test.hiding"},
		{"TimeoutHandler", http.TimeoutHandler(m, timeout, ""), "*http.timeoutWriter"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ws := dial(t, serve(t, test.h)).open()
			ws.wantStatus("500")
			want := "the HTTP/2 stream cannot be reached through a " + test.want +
				": put the WebSocket middleware outside of whatever made it, or give it an Unwrap method\n"
			if body, err := io.ReadAll(ws); string(body) != want || err != nil {
				t.Errorf("got %q, %v; want %q", body, err, want)
			}
		})
	}
}
