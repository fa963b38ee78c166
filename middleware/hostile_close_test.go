package middleware_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

// A client that answers no ping is found although the server goes on sending to it.
func TestSilentClientOfPushServer(t *testing.T) {
	push := middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
		go func() {
			for c.WriteMessage(middleware.TextMessage, []byte("tick")) == nil {
				time.Sleep(1300 * time.Millisecond) // so that nothing is being sent after 40 s
			}
		}()
		return c.Discard()
	})
	inBubble(t, middleware.Options{Handler: push}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		began := time.Now()
		for {
			first, payload := c.frame()
			if first == 0x88 && payload == "\x03\xf0no answer to a ping within 10s" {
				break
			}
			if first != 0x81 && first != 0x89 {
				t.Fatalf("got %#x %q", first, payload)
			}
		}
		if got := time.Since(began); got != 40*time.Second {
			t.Errorf("closed after %v", got)
		}
		_ = c.Close()
		time.Sleep(time.Minute)
	})
}

// A client that is taking a message at its pace is not cut when the connection closes meanwhile.
func TestCloseBehindSlowFrame(t *testing.T) {
	const size, step = 1 << 20, 64 << 10
	large := func(c *middleware.Conn) { _ = c.WriteMessage(middleware.BinaryMessage, make([]byte, size)) }
	for name, h := range map[string]middleware.HandlerFunc{
		"Close": func(_ context.Context, c *middleware.Conn) error {
			go large(c)
			time.Sleep(time.Second)
			go func() { _ = c.Close(1000, "") }()
			return c.Discard()
		},
		"return": func(_ context.Context, c *middleware.Conn) error {
			go large(c)
			time.Sleep(time.Second)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			infos := make(chan middleware.CloseInfo, 1)
			hooks := middleware.Hooks{Closed: func(_ *middleware.Conn, info middleware.CloseInfo) { infos <- info }}
			inBubble(t, middleware.Options{Handler: h, Hooks: hooks}, func(t *testing.T, dial func() *rawClient) {
				c := dial().shakeHands()
				c.read(10)
				for range size / step {
					c.read(step)
					time.Sleep(time.Second)
				}
				c.want(closeReply(1000, ""))
				time.Sleep(3 * time.Second) // The frame has been in the buffer for the fourth.
				c.send(closing(1000, ""))
				c.WantEnd()
			})
			if info := <-infos; info.Code != 1000 || info.Err != nil {
				t.Errorf("closed with %d, %v", info.Code, info.Err)
			}
		})
	}
}

// Pings within a message are no progress of the message.
func TestReadTimeoutWithPings(t *testing.T) {
	inBubble(t, middleware.Options{Handler: plainEcho(), PingInterval: -1}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		ended := make(chan struct{})
		began := time.Now()
		go func() {
			defer close(ended)
			pings := strings.Repeat(frame(finBit|pingOp, strings.Repeat("p", 125)), 100)
			_, err := io.WriteString(c.Conn, frame(textOp, "a"))
			for ; err == nil; time.Sleep(time.Second) {
				_, err = io.WriteString(c.Conn, pings)
			}
		}()
		for {
			if first, _ := c.frame(); first == 0x88 {
				break
			}
		}
		if got := time.Since(began); got < time.Minute || got > 61*time.Second {
			t.Errorf("closed after %v", got)
		}
		_ = c.Close()
		<-ended
	})
}

// What a handler or a panic quotes of a message is not logged at length.
func TestLoggedErrorIsCut(t *testing.T) {
	var log syncBuffer
	closed := make(chan struct{}, 2)
	s := serve(t, middleware.Options{
		Logger: textLogger(&log),
		Hooks:  middleware.Hooks{Closed: func(*middleware.Conn, middleware.CloseInfo) { closed <- struct{}{} }},
		Handler: middleware.MessageFunc(func(_ io.Writer, m *middleware.Message) error {
			if m.Type == middleware.BinaryMessage {
				panic(string(m.Data))
			}
			return errors.New(string(m.Data))
		}),
	})
	for _, message := range []string{text(strings.Repeat("a", 100_000)), frame(0x82, strings.Repeat("a", 100_000))} {
		c := connect(t, s)
		c.send(message)
		c.want(closeReply(1011, "internal server error"))
		_ = c.Close()
		<-closed
	}
	if got := log.String(); strings.Contains(got, strings.Repeat("a", 201)) || !strings.Contains(got, strings.Repeat("a", 200)+"...") {
		t.Errorf("logged %d bytes", len(got))
	}
}
