package middleware_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware"
)

// timedLogger logs the time since now, and neither level, address nor path.
func timedLogger(w io.Writer) *slog.Logger {
	began := time.Now()
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey:
				return slog.Duration("after", a.Value.Time().Sub(began))
			case slog.LevelKey, "remote", "path":
				return slog.Attr{}
			}
			return a
		},
	}))
}

// handshakeFrom is a handshake that is refused with 403.
func handshakeFrom(origin string) *http.Request {
	r := handshakeRequest()
	r.Header.Set("Origin", origin)
	return r
}

// handshakeWithout is one that is refused with 400, or passed on as stripped.
func handshakeWithout(header string) *http.Request {
	r := handshakeRequest()
	r.Header.Del(header)
	return r
}

// Each second, 5 refusals with the same status are logged, the others counted, whatever they say.
func TestLogLimit(t *testing.T) {
	const (
		refused = ` msg="WebSocket handshake refused" `
		evil    = refused + `status=403 reason="origin \"https://evil.example\" ` +
			`is not allowed to connect to host \"example.com\""` + "\n"
		key  = refused + `status=400 reason="0 Sec-WebSocket-Key headers: must be one"` + "\n"
		gone = ` msg="WebSocket handshake without \"Connection: Upgrade\": a proxy in front has ` +
			`probably removed it, and must be told to forward Upgrade and Connection"` + "\n"
		left = ` msg="WebSocket log lines left out" `
	)
	synctest.Test(t, func(t *testing.T) {
		var log syncBuffer
		logger := timedLogger(&log)
		h := middleware.New(middleware.Options{Logger: logger}).Handler(http.NotFoundHandler())
		send := func(n int, r *http.Request) {
			for range n {
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
		}
		send(4, handshakeFrom("https://evil.example"))
		time.Sleep(600 * time.Millisecond)
		send(3, handshakeFrom("https://evil.example"))
		send(6, handshakeWithout("Sec-WebSocket-Key"))
		time.Sleep(399 * time.Millisecond)
		send(1000, handshakeFrom("https://other.example"))
		send(7, handshakeWithout("Connection"))
		time.Sleep(time.Hour) // Nothing else is logged.
		send(5, handshakeFrom("https://evil.example"))
		time.Sleep(time.Second)
		synctest.Wait()
		send(1, handshakeFrom("https://evil.example"))
		want := strings.Repeat("after=0s"+evil, 4) + "after=600ms" + evil +
			strings.Repeat("after=600ms"+key, 5) + strings.Repeat("after=999ms"+gone, 5) +
			"after=1s" + left + "status=403 count=1002\n" +
			"after=1.6s" + left + "status=400 count=1\n" +
			"after=1.999s" + left + `reason="stripped headers" count=2` + "\n" +
			strings.Repeat("after=1h0m0.999s"+evil, 5) + "after=1h0m1.999s" + evil
		if log.String() != want {
			t.Errorf("got\n%swant\n%s", log.String(), want)
		}
	})
}

// Failed connections and errors of handlers are limited by their code; each Middleware counts for
// itself.
func TestLogLimitOfConnections(t *testing.T) {
	const (
		failed = `after=0s msg="WebSocket connection failed" code=1002 reason="reserved opcode 3"` + "\n"
		left   = `after=1s msg="WebSocket log lines left out" code=1002 count=2` + "\n"
		broken = `after=1ms msg="WebSocket handler failed" code=1011 error=broken` + "\n"
		other  = `after=1.001s msg="WebSocket log lines left out" code=1011 count=4` + "\n"
	)
	var log syncBuffer
	handlerInBubble(t, func() http.Handler {
		opts := middleware.Options{
			Logger: timedLogger(&log),
			Handler: middleware.MessageFunc(func(io.Writer, *middleware.Message) error {
				return errors.New("broken")
			}),
		}
		mux := http.NewServeMux()
		mux.Handle("/ws", middleware.New(opts))
		mux.Handle("/second", middleware.New(opts))
		return mux
	}, func(t *testing.T, dial func() *rawClient) {
		send := func(n int, path, frame, want string) {
			for range n {
				c := dial()
				c.request(path, handshakeLines)
				c.send(frame)
				c.want(want)
			}
		}
		send(7, "/ws", frame(0x83, ""), closeReply(1002, "reserved opcode 3"))
		send(5, "/second", frame(0x83, ""), closeReply(1002, "reserved opcode 3"))
		time.Sleep(time.Millisecond)
		send(9, "/ws", text("x"), closeReply(1011, "internal server error"))
		time.Sleep(2 * time.Second)
		want := strings.Repeat(failed, 10) + strings.Repeat(broken, 5) + left + other
		if log.String() != want {
			t.Errorf("got\n%swant\n%s", log.String(), want)
		}
	})
}
