package middleware_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/wsecho/middleware"
)

// Text to send that is not UTF-8 is the handler's error, and not for the client to find out.
func TestTextToSend(t *testing.T) {
	replying := func(parts ...string) middleware.Handler {
		return middleware.MessageFunc(func(w io.Writer, _ *middleware.Message) error {
			for _, p := range parts {
				if _, err := io.WriteString(w, p); err != nil {
					return err
				}
			}
			return nil
		})
	}
	writing := func(write func(c *middleware.Conn) error) middleware.Handler {
		return middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
			if _, _, err := c.ReadMessage(); err != nil {
				return err
			}
			return write(c)
		})
	}
	streaming := func(kind middleware.MessageType, parts ...string) middleware.Handler {
		return writing(func(c *middleware.Conn) error {
			w, err := c.NextWriter(kind)
			if err != nil {
				return err
			}
			for _, p := range parts {
				if _, err := io.WriteString(w, p); err != nil {
					_ = w.Close()
					return err
				}
			}
			return w.Close()
		})
	}
	internal := closeReply(1011, "internal server error")
	normal := closeReply(1000, "")
	for _, test := range []struct {
		name    string
		handler middleware.Handler
		message string
		want    string
	}{
		{"reply", replying("a\xff"), text("x"), internal},
		{"reply in parts", replying("\xc3", "\xa4"), text("x"), reply(0x81, "ä")},
		{"reply cut within a character", replying("\xc3"), text("x"), internal},
		{"binary reply", replying("a\xff"), frame(0x82, "x"), reply(0x82, "a\xff")},
		{"Echo", middleware.Echo("\xff"), text("x"), internal},
		{"Echo of binary", middleware.Echo("\xff"), frame(0x82, "x"), reply(0x82, "\xffx")},
		{"batched", middleware.Batched(middleware.Echo("\xff")), text("x"), internal},
		{"WriteMessage", writing(func(c *middleware.Conn) error {
			return c.WriteMessage(middleware.TextMessage, []byte("\xff"))
		}), text("x"), internal},
		{"WriteMessage, error ignored", writing(func(c *middleware.Conn) error {
			_ = c.WriteMessage(middleware.TextMessage, []byte("\xff"))
			return c.WriteMessage(middleware.BinaryMessage, []byte("\xff"))
		}), text("x"), reply(0x82, "\xff") + normal},
		{"NextWriter", streaming(middleware.TextMessage, "\xff"), text("x"), internal},
		{
			"NextWriter in parts", streaming(middleware.TextMessage, "\xc3", "\xa4"), text("x"),
			reply(0x81, "ä") + normal,
		},
		{"NextWriter cut", streaming(middleware.TextMessage, "\xc3"), text("x"), internal},
		{
			"NextWriter of binary", streaming(middleware.BinaryMessage, "\xff"), text("x"),
			reply(0x82, "\xff") + normal,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log syncBuffer
			handlerInBubble(t, func() http.Handler {
				return middleware.New(middleware.Options{Handler: test.handler, Logger: textLogger(&log)})
			}, func(t *testing.T, dial func() *rawClient) {
				c := dial().shakeHands()
				c.send(test.message)
				c.want(test.want)
			})
			const line = `code=1011 error="middleware: text message to send: must be valid UTF-8 (RFC 6455 §8.1)"`
			want := 0
			if test.want == internal {
				want = 1
			}
			if got := strings.Count(log.String(), line); got != want {
				t.Errorf("logged %d times, want %d:\n%s", got, want, log.String())
			}
		})
	}
}
