package matrix_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/felixge/httpsnoop"
	"github.com/gin-gonic/gin"
	chimw "github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/handlers"
	"github.com/klauspost/compress/gzhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

type stdMiddleware = func(http.Handler) http.Handler

// A wrapper stands in front of wsecho. It is created for one server, to whose log it writes a line
// for each panic that it recovers from and, if it is a logger, for each request.
type wrapper struct {
	name     string
	writer   string                    // the type of its ResponseWriter, if that cannot be hijacked
	std      func(log) stdMiddleware   // nil for gin's own
	gin      func(log) gin.HandlerFunc // nil for all others
	chi      bool                      // is chi's own, to be put into its Use
	upgraded string                    // what it logs for a WebSocket, if it logs
}

const switching = "101 GET /ws"

func wrappers() []wrapper {
	silent := func(m stdMiddleware) func(log) stdMiddleware {
		return func(log) stdMiddleware { return m }
	}
	return []wrapper{
		{name: "plain", std: silent(same)},
		// of github.com/gorilla/handlers
		{name: "Logging", std: loggingHandler, upgraded: switching},
		{name: "Compress", std: silent(handlers.CompressHandler)},
		{name: "Recovery", std: recoveryHandler},
		{name: "gzhttp", std: silent(gzipHandler)},
		{name: "otelhttp", std: otelHandler, upgraded: switching},
		// It treats 101 as an informational response, such as 103, and reports 200.
		{name: "httpsnoop", std: snoop, upgraded: "200 GET /ws"},
		{name: "chi.Log", std: chiLogger, chi: true, upgraded: switching},
		{name: "chi.Rec", std: chiRecoverer, chi: true},
		{name: "chi.Gzip", std: silent(chimw.Compress(5)), chi: true},
		{name: "gin.Log", gin: ginLogger, upgraded: switching},
		{name: "gin.Rec", gin: ginRecovery},
		{name: "Timeout", writer: "*http.timeoutWriter", std: silent(timeoutHandler)},
		// Hand-written ResponseWriters: with Hijack only, with Unwrap only, with neither.
		{name: "Hijack", std: hijackLogger, upgraded: switching},
		{name: "Unwrap", std: silent(unwrapOnly)},
		{name: "hidden", writer: "matrix_test.hider", std: silent(hideAll)},
	}
}

func same(h http.Handler) http.Handler { return h }

func loggingHandler(l log) stdMiddleware {
	return func(h http.Handler) http.Handler {
		return handlers.CustomLoggingHandler(l, h, func(_ io.Writer, p handlers.LogFormatterParams) {
			l.request(p.StatusCode, p.Request)
		})
	}
}

func recoveryHandler(l log) stdMiddleware {
	return handlers.RecoveryHandler(handlers.RecoveryLogger(l))
}

func gzipHandler(h http.Handler) http.Handler { return gzhttp.GzipHandler(h) }

// otelHandler logs the status that OpenTelemetry records for a request.
func otelHandler(l log) stdMiddleware {
	temporality := metric.DeltaTemporalitySelector
	reader := metric.NewManualReader(metric.WithTemporalitySelector(temporality))
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	return func(h http.Handler) http.Handler {
		measured := otelhttp.NewHandler(h, "server", otelhttp.WithMeterProvider(provider))
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			measured.ServeHTTP(w, r)
			var counted metricdata.ResourceMetrics
			if err := reader.Collect(r.Context(), &counted); err != nil {
				l.Println(err)
			}
			l.request(statusOf(counted), r)
		})
	}
}

// statusOf returns the status of the only request counted, or 0.
func statusOf(counted metricdata.ResourceMetrics) int {
	for _, scope := range counted.ScopeMetrics {
		for _, m := range scope.Metrics {
			durations, ok := m.Data.(metricdata.Histogram[float64])
			if m.Name != "http.server.request.duration" || !ok || len(durations.DataPoints) != 1 {
				continue
			}
			status, _ := durations.DataPoints[0].Attributes.Value("http.response.status_code")
			return int(status.AsInt64())
		}
	}
	return 0
}

func snoop(l log) stdMiddleware {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			l.request(httpsnoop.CaptureMetrics(h, w, r).Code, r)
		})
	}
}

// chiEntry is an entry of chi's request log in the format of log.request.
type chiEntry struct {
	log
	r *http.Request
}

func (l log) NewLogEntry(r *http.Request) chimw.LogEntry { return chiEntry{l, r} }

func (e chiEntry) Write(status, _ int, _ http.Header, _ time.Duration, _ any) {
	e.request(status, e.r)
}

func (e chiEntry) Panic(v any, _ []byte) { e.Println(v) }

func chiLogger(l log) stdMiddleware { return chimw.RequestLogger(l) }

func chiRecoverer(l log) stdMiddleware {
	return func(h http.Handler) http.Handler {
		recoverer := chimw.Recoverer(h)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			recoverer.ServeHTTP(w, chimw.WithLogEntry(r, l.NewLogEntry(r)))
		})
	}
}

func ginLogger(l log) gin.HandlerFunc {
	return gin.LoggerWithConfig(gin.LoggerConfig{
		Output: l,
		Formatter: func(p gin.LogFormatterParams) string {
			return fmt.Sprintf("%d %s %s", p.StatusCode, p.Method, p.Path)
		},
	})
}

func ginRecovery(l log) gin.HandlerFunc { return gin.RecoveryWithWriter(l) }

func timeoutHandler(h http.Handler) http.Handler {
	return http.TimeoutHandler(h, timeout, "took too long")
}

// statusWriter is the wrapper of a hand-written logger, as in many programs: it has Hijack, but no
// Flush and no Unwrap.
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

func hijackLogger(l log) stdMiddleware {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sw := &statusWriter{w, http.StatusOK}
			h.ServeHTTP(sw, r)
			l.request(sw.status, r)
		})
	}
}

// hider is a ResponseWriter with only the three required methods.
type hider struct{ http.ResponseWriter }

func hideAll(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(hider{w}, r)
	})
}

type unwrapper struct{ hider }

func (u unwrapper) Unwrap() http.ResponseWriter { return u.ResponseWriter }

func unwrapOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(unwrapper{hider{w}}, r)
	})
}
