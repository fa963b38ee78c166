package matrix_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"example.com/wsecho/middleware"
	echov4 "github.com/labstack/echo/v4"
	echomw4 "github.com/labstack/echo/v4/middleware"
	echov5 "github.com/labstack/echo/v5"
	echomw5 "github.com/labstack/echo/v5/middleware"
)

// echo's own middleware in front of wsecho, and what echo and net/http log then. Gzip delays
// WriteHeader and, if flushed, repeats it at the end, when the connection has been hijacked: the
// echo works, but an error is logged. So wsecho belongs in front of Gzip.
func TestEchoOwn(t *testing.T) {
	const (
		error4 = "http: response.WriteHeader on hijacked connection from " +
			"github.com/labstack/echo/v4/middleware.GzipWithConfig"
		error5 = "level=ERROR msg=\"echo: response already written to client\"\n"
	)
	for _, test := range []struct {
		name   string
		build  builder
		log    []string // of echo, for the request and the WebSocket
		errors string   // prefix of net/http's line
	}{
		{"v4 Logger, middleware", own4(echo4Logger, use4), []string{"200 GET /users", "101 GET /ws"}, ""},
		{"v4 Logger, endpoint", own4(echo4Logger, route4), []string{"200 GET /users", "101 GET /ws"}, ""},
		{"v4 Recover, middleware", own4(echo4Recover, use4), nil, ""},
		{"v4 Recover, endpoint", own4(echo4Recover, route4), nil, ""},
		{"v4 Gzip, middleware", own4(echo4Gzip, use4), nil, error4},
		{"v4 Gzip, endpoint", own4(echo4Gzip, route4), nil, error4},
		{"v5 Logger, middleware", own5(echo5Logger, use5), []string{"200 GET /users", "101 GET /ws"}, ""},
		{"v5 Logger, endpoint", own5(echo5Logger, route5), []string{"200 GET /users", "101 GET /ws"}, ""},
		{"v5 Recover, middleware", own5(echo5Recover, use5), nil, ""},
		{"v5 Recover, endpoint", own5(echo5Recover, route5), nil, ""},
		{"v5 Gzip, middleware", own5(echo5Gzip, use5), []string{error5}, ""},
		{"v5 Gzip, endpoint", own5(echo5Gzip, route5), []string{error5}, ""},
		{"v4 Gzip behind", echo4GzipBehind, nil, ""},
		{"v5 Gzip behind", echo5GzipBehind, nil, ""},
	} {
		for _, detach := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, detach=%t", test.name, detach), func(t *testing.T) {
				t.Parallel()
				own := newLog()
				s := serve(t, test.build(echo(middleware.Options{Detach: detach}), own))
				s.wantUsers(t)
				s.wantReturned(t)
				s.wantEcho(t)
				s.wantReturned(t)
				for _, line := range test.log {
					own.want(t, line)
				}
				own.wantNone(t)
				if test.errors != "" {
					s.errors.wantPrefix(t, test.errors)
				}
				s.wantQuiet(t)
			})
		}
	}
}

type builder = func(ws, log) http.Handler

func own4(own func(log) echov4.MiddlewareFunc, put func(*echov4.Echo, ws)) builder {
	return func(ws ws, l log) http.Handler {
		e := echov4.New()
		e.Logger.SetOutput(l)
		e.Use(own(l))
		e.GET("/users", echo4Users)
		put(e, ws)
		return e
	}
}

func use4(e *echov4.Echo, ws ws)   { e.Use(echov4.WrapMiddleware(ws.Handler)) }
func route4(e *echov4.Echo, ws ws) { e.GET("/ws", echov4.WrapHandler(ws)) }

func echo4Logger(l log) echov4.MiddlewareFunc {
	//lint:ignore SA1019 servers use it that are older than its successor
	return echomw4.LoggerWithConfig(echomw4.LoggerConfig{
		Output: l, Format: "${status} ${method} ${path}",
	})
}

func echo4Recover(log) echov4.MiddlewareFunc { return echomw4.Recover() }
func echo4Gzip(log) echov4.MiddlewareFunc    { return echomw4.Gzip() }

func echo4GzipBehind(ws ws, l log) http.Handler {
	e := echov4.New()
	e.Logger.SetOutput(l)
	e.Use(echov4.WrapMiddleware(ws.Handler), echomw4.Gzip())
	e.GET("/users", echo4Users)
	return e
}

func own5(own func(log) echov5.MiddlewareFunc, put func(*echov5.Echo, ws)) builder {
	return func(ws ws, l log) http.Handler {
		e := newEcho5(l)
		e.Use(own(l))
		e.GET("/users", echo5Users)
		put(e, ws)
		return e
	}
}

func newEcho5(l log) *echov5.Echo {
	e := echov5.New()
	e.Logger = slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	return e
}

func use5(e *echov5.Echo, ws ws)   { e.Use(echov5.WrapMiddleware(ws.Handler)) }
func route5(e *echov5.Echo, ws ws) { e.GET("/ws", echov5.WrapHandler(ws)) }

func echo5Logger(l log) echov5.MiddlewareFunc {
	return echomw5.RequestLoggerWithConfig(echomw5.RequestLoggerConfig{
		LogStatus: true,
		LogValuesFunc: func(c *echov5.Context, v echomw5.RequestLoggerValues) error {
			l.request(v.Status, c.Request())
			return nil
		},
	})
}

func echo5Recover(log) echov5.MiddlewareFunc { return echomw5.Recover() }
func echo5Gzip(log) echov5.MiddlewareFunc    { return echomw5.Gzip() }

func echo5GzipBehind(ws ws, l log) http.Handler {
	e := newEcho5(l)
	e.Use(echov5.WrapMiddleware(ws.Handler), echomw5.Gzip())
	e.GET("/users", echo5Users)
	return e
}
