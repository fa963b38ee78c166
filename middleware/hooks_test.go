package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

// events takes what hooks are told, a line each.
type events chan string

func (e events) hooks() middleware.Hooks {
	note := func(format string, args ...any) { e <- fmt.Sprintf(format, args...) }
	return middleware.Hooks{
		Accepted: func(c *middleware.Conn) { note("accepted %s", c.Request().URL) },
		Refused: func(r *http.Request, status int, reason string) {
			note("refused %s %d %s", r.URL, status, reason)
		},
		Received: func(_ *middleware.Conn, t middleware.MessageType, size int64) {
			note("received %v %d", t, size)
		},
		Sent: func(_ *middleware.Conn, t middleware.MessageType, size int64) {
			note("sent %v %d", t, size)
		},
		Closed: func(c *middleware.Conn, info middleware.CloseInfo) {
			if info.Duration <= 0 || info.Duration > patience {
				note("closed after %v", info.Duration)
			}
			by := "us"
			if info.ByClient {
				by = "client"
			}
			note("closed %s by %s %d %q %d/%d %v", c.Request().URL, by, info.Code, info.Reason, info.Received, info.Sent, info.Err)
		},
	}
}

func (e events) want(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-e:
			if got != w {
				t.Errorf("got  %s\nwant %s", got, w)
			}
		case <-time.After(patience):
			t.Fatalf("nothing, want %s", w)
		}
	}
}

func (e events) wantNoMore(t *testing.T) {
	t.Helper()
	select {
	case got := <-e:
		t.Errorf("got %s, want no more", got)
	default:
	}
}

func TestHooks(t *testing.T) {
	fails := middleware.MessageFunc(func(io.Writer, *middleware.Message) error { return errors.New("no disk") })
	panics := middleware.MessageFunc(func(io.Writer, *middleware.Message) error { panic("oh") })
	closes := middleware.HandlerFunc(func(context.Context, *middleware.Conn) error {
		return &middleware.CloseError{Code: 4000, Reason: "enough"}
	})
	streams := middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
		w, err := c.NextWriter(middleware.BinaryMessage)
		if err != nil {
			return err
		}
		_, _ = io.WriteString(w, "abc")
		_, _ = io.WriteString(w, "de")
		return w.Close()
	})
	for _, test := range []struct {
		name    string
		handler middleware.Handler
		client  func(c *rawClient)
		want    []string // between "accepted" and the end
	}{
		{"echo", plainEcho(), func(c *rawClient) { c.send(text("hi") + frame(0x82, "\x00") + text("") + closing(1000, "")) }, []string{
			"received text 2", "sent text 2", "received binary 1", "sent binary 1", "received text 0", "sent text 0", `closed /ws by client 1000 "" 3/3 <nil>`,
		}},
		{"batched", middleware.Batched(plainEcho()), func(c *rawClient) { c.send(text("a") + text("bc") + closing(4001, "bye")) }, []string{
			"received text 1", "sent text 1", "received text 2", "sent text 2", `closed /ws by client 4001 "bye" 3/3 <nil>`,
		}},
		{"fragments", plainEcho(), func(c *rawClient) {
			c.send(frame(textOp, "ab") + frame(finBit, "c") + closing(1000, ""))
		}, []string{"received text 3", "sent text 3", `closed /ws by client 1000 "" 3/3 <nil>`}},
		{"a stream", streams, func(c *rawClient) { c.want(reply(0x82, "abcde")); c.send(closing(1000, "")) }, []string{
			"sent binary 5", `closed /ws by us 1000 "" 0/5 <nil>`,
		}},
		{"handler closes", closes, func(c *rawClient) { c.want(closeReply(4000, "enough")); c.send(closing(4000, "")) }, []string{`closed /ws by us 4000 "enough" 0/0 <nil>`}},
		{"handler fails", fails, func(c *rawClient) {
			c.send(text("x"))
			c.want(closeReply(1011, "internal server error"))
			c.send(closing(1011, ""))
		}, []string{"received text 1", `closed /ws by us 1011 "internal server error" 1/0 no disk`}},
		{"handler panics", panics, func(c *rawClient) { c.send(text("x") + closing(1000, "")) }, []string{
			"received text 1", `closed /ws by us 1011 "internal server error" 1/0 middleware: handler panicked: oh`,
		}},
		{"violation", plainEcho(), func(c *rawClient) { c.send(text("ok") + "\xf1"); _ = c.Conn.(*net.TCPConn).CloseWrite() }, []string{
			"received text 2", "sent text 2", `closed /ws by us 1002 "reserved bit set" 2/2 middleware: closed with 1002 "reserved bit set"`,
		}},
		{"text that is not UTF-8", plainEcho(), func(c *rawClient) { c.send(text("\xff")); _ = c.Conn.(*net.TCPConn).CloseWrite() }, []string{
			`closed /ws by us 1007 "text is not UTF-8" 1/0 middleware: closed with 1007 "text is not UTF-8"`,
		}},
		{"gone", plainEcho(), func(c *rawClient) { c.send(header(finBit|textOp, 5)); _ = c.Close() }, []string{
			`closed /ws by us 1006 "" 0/0 middleware: closed with 1006: EOF`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := make(events, 16)
			s := serve(t, middleware.Options{Handler: test.handler, Hooks: e.hooks()})
			c := connect(t, s)
			e.want(t, "accepted /ws")
			test.client(c)
			_, _ = io.Copy(io.Discard, c)
			e.want(t, test.want...)
			e.wantNoMore(t)
		})
	}
}

// A close frame that cannot be sent does not count.
func TestHooksReset(t *testing.T) {
	e := make(events, 16)
	reset := make(chan struct{})
	s := serve(t, middleware.Options{Hooks: e.hooks(), Handler: middleware.HandlerFunc(func(context.Context, *middleware.Conn) error {
		<-reset
		return nil
	})})
	c := connect(t, s)
	e.want(t, "accepted /ws")
	_ = c.Conn.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
	close(reset)
	if got := <-e; !strings.HasPrefix(got, `closed /ws by us 1006 "" 0/0 middleware: closed with 1006: `) {
		t.Errorf("got %s", got)
	}
}

// The sizes are those of the messages, not of what travels.
func TestHooksCompressed(t *testing.T) {
	e := make(events, 16)
	s := serve(t, middleware.Options{Handler: plainEcho(), Compression: true, Hooks: e.hooks()})
	c := connect(t, s, offerDeflate)
	c.send(frame(finBit|rsv1Bit|textOp, deflated(strings.Repeat("a", 1000))))
	e.want(t, "accepted /ws", "received text 1000", "sent text 1000")
	c.send(closing(1000, ""))
	e.want(t, `closed /ws by client 1000 "" 1000/1000 <nil>`)
}

func TestHooksRefused(t *testing.T) {
	e := make(events, 16)
	s := serve(t, middleware.Options{Hooks: e.hooks(), MaxConns: 1})
	c := dialRaw(t, s)
	_ = c.request("/ws?x=1", handshakeLines, "Origin: https://evil.example\r\n").Body.Close()
	e.want(t, `refused /ws?x=1 403 origin "https://evil.example" is not allowed to connect to host "localhost"`)
	c = connect(t, s)
	e.want(t, "accepted /ws")
	_ = dialRaw(t, s).request("/ws", handshakeLines).Body.Close()
	e.want(t, "refused /ws 503 the limit of 1 WebSocket connections is reached")
	_ = dialRaw(t, s).request("/other").Body.Close()
	c.send(closing(1000, ""))
	e.want(t, `closed /ws by client 1000 "" 0/0 <nil>`)
	e.wantNoMore(t)
}

// Even where there is no net/http that would recover.
func TestHooksPanic(t *testing.T) {
	for _, test := range []struct {
		name  string
		hooks middleware.Hooks
		want  string // all that the client gets
	}{
		{"Accepted", middleware.Hooks{Accepted: func(*middleware.Conn) { panic("oh") }}, closeReply(1011, "internal server error")},
		{"Received", middleware.Hooks{Received: func(*middleware.Conn, middleware.MessageType, int64) { panic("oh") }}, closeReply(1011, "internal server error")},
		{"Sent", middleware.Hooks{Sent: func(*middleware.Conn, middleware.MessageType, int64) { panic("oh") }}, reply(0x81, "x") + closeReply(1011, "internal server error")},
		{"Closed", middleware.Hooks{Closed: func(*middleware.Conn, middleware.CloseInfo) { panic("oh") }}, reply(0x81, "x") + closeReply(1000, "")},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log syncBuffer
			ws := middleware.New(middleware.Options{
				Handler: plainEcho(), Detach: true, Hooks: test.hooks, Logger: textLogger(&log),
			})
			s := httptest.NewServer(ws)
			t.Cleanup(s.Close)
			c := connect(t, s)
			c.send(text("x") + closing(1000, ""))
			c.want(test.want)
			c.WantEnd()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := ws.Shutdown(ctx); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
			if !strings.Contains(log.String(), "panic=oh") {
				t.Errorf("logged %q, which does not name the panic", log.String())
			}
		})
	}
}

// A connection is two lines at Debug, without a word of what was said.
func TestLog(t *testing.T) {
	var log syncBuffer
	closed := make(chan struct{})
	ws := middleware.New(middleware.Options{Handler: middleware.Echo("re: "), Logger: textLogger(&log), Hooks: middleware.Hooks{
		Closed: func(*middleware.Conn, middleware.CloseInfo) { close(closed) },
	}})
	s := httptest.NewServer(ws)
	t.Cleanup(s.Close)
	c := connect(t, s, "Sec-WebSocket-Protocol: chat\r\n")
	c.send(text("secret") + closing(4321, "done"))
	c.want(reply(0x81, "re: secret") + closeReply(4321, "done"))
	c.WantEnd()
	<-closed
	want := regexp.MustCompile(`^level=DEBUG msg="WebSocket connected" remote=127\.0\.0\.1:\d+ path=/ws subprotocol=chat
level=DEBUG msg="WebSocket closed" remote=127\.0\.0\.1:\d+ path=/ws code=4321 reason=done cause=client duration=\S+ received=6 sent=10
$`)
	if !want.MatchString(log.String()) {
		t.Errorf("got\n%swant\n%v", log.String(), want)
	}
}

// The error that closed with 1011 is in CloseInfo, whoever sent the close frame and even if the
// client has answered it.
func TestInternalErrors(t *testing.T) {
	hook := func(*middleware.Conn, middleware.MessageType, int64) { panic("oh") }
	streams := middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
		w, err := c.NextWriter(middleware.TextMessage)
		if err != nil {
			return err
		}
		_, _ = io.WriteString(w, "\xff")
		return w.Close()
	})
	const panicked = "middleware: handler panicked: oh"
	internal := closeReply(1011, "internal server error")
	for _, test := range []struct {
		name    string
		handler middleware.Handler
		hooks   middleware.Hooks
		want    string
		err     string
	}{
		{"Received", plainEcho(), middleware.Hooks{Received: hook}, internal, panicked},
		{"Sent", plainEcho(), middleware.Hooks{Sent: hook}, reply(0x81, "x") + internal, panicked},
		{"text to send", streams, middleware.Hooks{}, internal, "middleware: text message to send: must be valid UTF-8 (RFC 6455 §8.1)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			infos := make(chan middleware.CloseInfo, 1)
			test.hooks.Closed = func(_ *middleware.Conn, info middleware.CloseInfo) { infos <- info }
			c := connect(t, serve(t, middleware.Options{
				Handler: test.handler, Hooks: test.hooks, Logger: textLogger(io.Discard),
			}))
			c.send(text("x"))
			c.want(test.want)
			c.send(closing(1011, ""))
			c.WantEnd()
			_ = c.Close()
			if info := <-infos; info.Code != 1011 || info.ByClient || fmt.Sprint(info.Err) != test.err {
				t.Errorf("closed with %d, by the client: %v, %v; want %s", info.Code, info.ByClient, info.Err, test.err)
			}
		})
	}
}
