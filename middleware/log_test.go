package middleware_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

// What a client chooses is cut at 200 bytes, between two characters.
func TestLogCutsRefusals(t *testing.T) {
	x, umlauts := strings.Repeat("x", 300), strings.Repeat("ä", 100)
	path := func(n int) string { return "/" + x[:n-1] }
	for _, test := range []struct{ name, remote, path, version, want string }{
		{"200 bytes", x[:200], path(200), "13", "remote=" + x[:200] + " path=" + path(200) + " "},
		{"201 bytes", x[:201], path(201), "13", "remote=" + x[:200] + "... path=" + path(200) + "... "},
		{"a megabyte", "r", "/" + strings.Repeat("x", 1<<20), "13", "path=" + path(200) + "... "},
		{"within a character", "r", path(199) + "äöü", "13", "path=" + path(199) + "... "},
		{"between two", "r", path(198) + "äöü", "13", "path=" + path(198) + "ä... "},
		{"not UTF-8", "r", strings.Repeat("\x80", 300), "13", strings.Repeat(`\x80`, 196) + `..." `},
		{"reason", "r", "/", umlauts, `"Sec-WebSocket-Version \"` + umlauts[:2*88] + `..."` + "\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log syncBuffer
			r := handshakeRequest()
			r.RemoteAddr, r.URL.Path = test.remote, test.path
			r.Header.Set("Sec-WebSocket-Version", test.version)
			if test.version == "13" {
				r.Header.Del("Sec-WebSocket-Key")
			}
			m := middleware.New(middleware.Options{Logger: textLogger(&log)})
			m.ServeHTTP(httptest.NewRecorder(), r)
			if !strings.Contains(log.String(), test.want) {
				t.Errorf("got\n%.3000swant\n%s", log.String(), test.want)
			}
		})
	}
}

// The lines of a connection are cut too.
func TestLogCutsConnections(t *testing.T) {
	var log syncBuffer
	x := strings.Repeat("x", 300)
	closed := make(chan struct{})
	s := serve(t, middleware.Options{
		Path: "/ws/", Logger: textLogger(&log),
		Handler: middleware.HandlerFunc(func(context.Context, *middleware.Conn) error {
			return &middleware.CloseError{Code: 4000, Reason: x}
		}),
		Hooks: middleware.Hooks{
			Closed: func(*middleware.Conn, middleware.CloseInfo) { close(closed) },
		},
	})
	c := dialRaw(t, s)
	resp := c.request("/ws/"+x, handshakeLines, "Sec-WebSocket-Protocol: "+x+"\r\n")
	if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != x {
		t.Errorf("subprotocol %q", got)
	}
	c.want(closeReply(4000, x[:123]))
	c.send(closing(4000, ""))
	_, _ = io.ReadAll(c)
	<-closed
	for _, want := range []string{
		" path=/ws/" + x[:196] + "... subprotocol=" + x[:200] + "...\n",
		" path=/ws/" + x[:196] + "... code=4000 reason=" + x[:200] + "... cause=",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("got\n%swant\n%s", log.String(), want)
		}
	}
}

// A path that was cut within a character is not cut again: it ends with three dots.
func TestLogCutsOnce(t *testing.T) {
	var log syncBuffer
	s := serve(t, middleware.Options{Path: "/ws/", Logger: textLogger(&log)})
	c := dialRaw(t, s)
	path := "/ws/" + strings.Repeat("x", 195)
	c.request(path+"%C3%A4%C3%A4", handshakeLines) // ä is the bytes 200 and 201.
	c.send(closing(1000, ""))
	_, _ = io.ReadAll(c)
	if want := " path=" + path + "... "; !strings.Contains(log.String(), want) {
		t.Errorf("got\n%swant\n%s", log.String(), want)
	}
}

// panicHandler is a slog.Handler whose method of that name panics.
type panicHandler struct{ method string }

func (h panicHandler) panicIn(method string) {
	if h.method == method {
		panic("from the slog.Handler")
	}
}

func (h panicHandler) Enabled(context.Context, slog.Level) bool {
	h.panicIn("Enabled")
	return true
}

func (h panicHandler) Handle(context.Context, slog.Record) error {
	h.panicIn("Handle")
	return nil
}

func (h panicHandler) WithAttrs([]slog.Attr) slog.Handler {
	h.panicIn("WithAttrs")
	return h
}

func (h panicHandler) WithGroup(string) slog.Handler { return h }

// A panic of the Logger loses a line and nothing else, even where nobody else would recover it.
func TestLogPanics(t *testing.T) {
	for _, method := range []string{"Enabled", "Handle", "WithAttrs"} {
		t.Run(method, func(t *testing.T) { testLogPanics(t, slog.New(panicHandler{method})) })
	}
}

func testLogPanics(t *testing.T, logger *slog.Logger) {
	var ws *middleware.Middleware
	handlerInBubble(t, func() http.Handler {
		opts := middleware.Options{Logger: logger, Detach: true, Handler: failing()}
		ws = middleware.New(opts)
		return ws.Handler(http.NotFoundHandler())
	}, func(t *testing.T, dial func() *rawClient) {
		for range 7 { // enough for the line with the count, too
			for _, test := range []struct{ send, want string }{
				{text("x") + closing(1000, ""), reply(0x81, "x") + closeReply(1000, "")},
				{text("error") + closing(1011, ""), closeReply(1011, "internal server error")},
				{text("panic") + closing(1011, ""), closeReply(1011, "internal server error")},
				{frame(0x83, ""), closeReply(1002, "reserved opcode 3")},
			} {
				c := dial().shakeHands()
				go func() { _, _ = io.WriteString(c.Conn, test.send) }() // as pipes do not buffer
				c.want(test.want)
			}
			resp := dial().request("/ws", handshakeLines, "Origin: https://evil.example\r\n")
			if resp.StatusCode != 403 {
				t.Error(resp.Status)
			}
			resp = dial().request("/ws", strings.Replace(handshakeLines, "Connection", "X", 1))
			if resp.StatusCode != 404 {
				t.Error(resp.Status)
			}
		}
		time.Sleep(time.Minute)
		if err := ws.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

// failing echoes, fails or panics as the message says.
func failing() middleware.MessageFunc {
	return func(w io.Writer, m *middleware.Message) error {
		switch string(m.Data) {
		case "error":
			return errors.New("from the handler")
		case "panic":
			panic("from the handler")
		}
		return plainEcho()(w, m)
	}
}
