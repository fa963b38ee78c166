package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

// counting answers with the query of the connection's request and the number of the message.
func counting(_ context.Context, c *middleware.Conn) (middleware.MessageFunc, error) {
	query, n := c.Request().URL.RawQuery, 0
	return func(w io.Writer, m *middleware.Message) error {
		n++
		_, err := fmt.Fprintf(w, "%s %d %s", query, n, m.Data)
		return err
	}, nil
}

func TestPerConn(t *testing.T) {
	for _, detach := range []bool{false, true} {
		t.Run(fmt.Sprintf("Detach %v", detach), func(t *testing.T) {
			s := serve(t, middleware.Options{Handler: middleware.PerConn(counting), Detach: detach})
			a, b := dialRaw(t, s), dialRaw(t, s)
			a.request("/ws?a", handshakeLines)
			b.request("/ws?b", handshakeLines)
			a.send(text("x") + text("y"))
			a.want(reply(0x81, "a 1 x") + reply(0x81, "a 2 y"))
			b.send(text("z"))
			b.want(reply(0x81, "b 1 z"))
			a.send(frame(0x82, "bin") + closing(1000, ""))
			a.want(reply(0x82, "a 3 bin") + closeReply(1000, ""))
			a.WantEnd()
		})
	}
}

// The function of a connection outlives parking.
func TestPerConnParked(t *testing.T) {
	s, _ := serveParking(t, middleware.Options{Handler: middleware.PerConn(counting)})
	c := dialRaw(t, s)
	c.request("/ws?q", handshakeLines)
	for i := range 3 {
		wantServed(t, 0)
		c.send(text("x"))
		c.want(reply(0x81, fmt.Sprintf("q %d x", i+1)))
	}
}

// What PerConn's function and that of the connection read waits as long as it takes.
func TestPerConnReads(t *testing.T) {
	s, _ := serveParking(t, middleware.Options{Handler: middleware.PerConn(
		func(_ context.Context, c *middleware.Conn) (middleware.MessageFunc, error) {
			_, name, err := c.ReadMessage()
			if err != nil {
				return nil, err
			}
			return func(w io.Writer, m *middleware.Message) error {
				if err := c.WriteMessage(middleware.TextMessage, []byte("sure?")); err != nil {
					return err
				}
				_, answer, err := c.ReadMessage()
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(w, "%s %s %s", name, m.Data, answer)
				return err
			}, nil
		})})
	c := connect(t, s)
	wait := func() { time.Sleep(20 * time.Millisecond) } // 20 times the time after which it would park
	wait()
	c.send(text("Ada"))
	wantServed(t, 0)
	c.send(text("leaves"))
	c.want(reply(0x81, "sure?"))
	wait()
	c.send(text("yes"))
	c.want(reply(0x81, "Ada leaves yes"))
}

func TestPerConnFails(t *testing.T) {
	for _, test := range []struct {
		name   string
		begin  func() (middleware.MessageFunc, error)
		code   uint16
		reason string
		log    string
	}{
		{"code", func() (middleware.MessageFunc, error) {
			return nil, &middleware.CloseError{Code: 3000, Reason: "who are you?"}
		}, 3000, "who are you?", ""},
		{
			"error", func() (middleware.MessageFunc, error) { return nil, errors.New("broken") },
			1011, "internal server error", "level=WARN msg=\"WebSocket handler failed\" remote=192.0.2.1:1234 path=/ws code=1011 error=broken",
		},
		{
			"nothing", func() (middleware.MessageFunc, error) { return nil, nil },
			1011, "internal server error", "PerConn: the function for the connection must not be nil",
		},
		{
			"panic", func() (middleware.MessageFunc, error) { panic("broken") },
			1011, "internal server error", "level=ERROR msg=\"WebSocket handler panicked\"",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log syncBuffer
			handlerInBubble(t, func() http.Handler {
				return middleware.New(middleware.Options{
					Logger: textLogger(&log),
					Handler: middleware.PerConn(func(context.Context, *middleware.Conn) (middleware.MessageFunc, error) {
						return test.begin()
					}),
				})
			}, func(t *testing.T, dial func() *rawClient) {
				c := dial().shakeHands()
				c.want(closeReply(test.code, test.reason))
				c.send(closing(test.code, ""))
				c.WantEnd()
			})
			if got := log.String(); !strings.Contains(got, test.log) ||
				strings.Contains(got, "handler") != (test.log != "") {
				t.Errorf("logged %s, want %q", got, test.log)
			}
		})
	}
}

// A handler that calls PerConn's one after the other has a function of each.
func TestPerConnTwice(t *testing.T) {
	answering := func(s string) middleware.Handler {
		return middleware.PerConn(func(context.Context, *middleware.Conn) (middleware.MessageFunc, error) {
			return func(w io.Writer, m *middleware.Message) error {
				if string(m.Data) == "next" {
					return io.EOF
				}
				_, err := io.WriteString(w, s)
				return err
			}, nil
		})
	}
	inBubble(t, middleware.Options{
		Handler: middleware.HandlerFunc(func(ctx context.Context, c *middleware.Conn) error {
			if err := answering("first").ServeConn(ctx, c); err != io.EOF {
				return err
			}
			return answering("second").ServeConn(ctx, c)
		}),
	}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		c.send(text("a"))
		c.want(reply(0x81, "first"))
		c.send(text("next"))
		c.send(text("b"))
		c.want(reply(0x81, "second"))
	})
}

// A loop that the user's code calls does not end when the connection is idle, since only the
// handler's own can be parked.
func TestPerConnServes(t *testing.T) {
	begun := make(chan struct{}, 2)
	until := func(end string) middleware.Handler {
		return middleware.MessageFunc(func(w io.Writer, m *middleware.Message) error {
			if string(m.Data) == end {
				return io.EOF
			}
			_, err := w.Write(m.Data)
			return err
		})
	}
	s, _ := serveParking(t, middleware.Options{Handler: middleware.PerConn(
		func(ctx context.Context, c *middleware.Conn) (middleware.MessageFunc, error) {
			begun <- struct{}{}
			if err := until("login").ServeConn(ctx, c); err != io.EOF {
				return nil, err
			}
			return func(w io.Writer, _ *middleware.Message) error {
				if err := until("end").ServeConn(ctx, c); err != io.EOF {
					return err
				}
				_, err := io.WriteString(w, "ended")
				return err
			}, nil
		})})
	c := connect(t, s)
	wait := func() { time.Sleep(20 * time.Millisecond) } // 20 times the time after which it would park
	wait()
	c.send(text("a"))
	c.want(reply(0x81, "a"))
	wait()
	c.send(text("login"))
	wantServed(t, 0)
	c.send(text("begin"))
	wait()
	c.send(text("b") + text("end"))
	c.want(reply(0x81, "b") + reply(0x81, "ended"))
	if got := len(begun); got != 1 {
		t.Errorf("begun %d times", got)
	}
}

// PerConn's handlers do not see each other's functions, be it within one or after its panic.
func TestPerConnInPerConn(t *testing.T) {
	saying := func(s string, next middleware.Handler) middleware.Handler {
		return middleware.PerConn(func(ctx context.Context, c *middleware.Conn) (middleware.MessageFunc, error) {
			return func(w io.Writer, m *middleware.Message) error {
				switch string(m.Data) {
				case "panic":
					panic("oh")
				case "end":
					return io.EOF
				case "next":
					if err := next.ServeConn(ctx, c); err != io.EOF {
						return err
					}
				}
				_, err := io.WriteString(w, s)
				return err
			}, nil
		})
	}
	inner, last := saying("inner", nil), saying("last", nil)
	inBubble(t, middleware.Options{
		Handler: middleware.HandlerFunc(func(ctx context.Context, c *middleware.Conn) error {
			func() {
				defer func() { _ = recover() }()
				_ = saying("outer", inner).ServeConn(ctx, c)
			}()
			return last.ServeConn(ctx, c)
		}),
	}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		for _, step := range []struct{ message, want string }{
			{"a", "outer"}, {"next", ""}, {"b", "inner"}, {"end", "outer"}, {"panic", ""}, {"c", "last"},
		} {
			c.send(text(step.message))
			if step.want != "" {
				c.want(reply(0x81, step.want))
			}
		}
	})
}

// A goroutine of the user may read while the connection is parked, and may be the one that reads
// its end.
func TestPerConnReadElsewhere(t *testing.T) {
	s, ws := serveParking(t, middleware.Options{Handler: middleware.PerConn(
		func(_ context.Context, c *middleware.Conn) (middleware.MessageFunc, error) {
			go func() {
				for {
					kind, p, err := c.ReadMessage()
					if err == nil {
						err = c.WriteMessage(kind, p)
					}
					if err != nil {
						return
					}
				}
			}()
			return plainEcho(), nil
		})})
	pause := func() { time.Sleep(3 * time.Millisecond) } // 3 times the time after which it parks
	for range 40 {                                       // Either may read.
		c := connect(t, s)
		pause()
		c.send(text("a"))
		c.want(reply(0x81, "a"))
		pause()
		c.send(closing(1000, ""))
		c.want(closeReply(1000, ""))
		c.WantEnd()
	}
	for deadline := time.Now().Add(patience); ws.NumConns() > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are left", ws.NumConns())
		}
	}
}
