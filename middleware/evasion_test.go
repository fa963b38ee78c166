package middleware_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware"
)

// What a client sends after its credentials have expired, or completes then, reaches no handler.
func TestNothingIsHandledAfterExpiry(t *testing.T) {
	handled := make(chan string, 16)
	for name, handler := range map[string]middleware.Handler{
		"MessageFunc": middleware.MessageFunc(func(_ io.Writer, m *middleware.Message) error {
			handled <- string(m.Data)
			return nil
		}),
		"HandlerFunc": middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
			for {
				_, r, err := c.NextReader()
				if err != nil {
					return err
				}
				p, err := io.ReadAll(r)
				if err != nil {
					return err
				}
				handled <- string(p)
			}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, middleware.Options{
				Handler: handler, PingInterval: -1,
				Expires: func(*http.Request) time.Time { return time.Now().Add(time.Second) },
			}, func(t *testing.T, dial func() *rawClient) {
				c := dial().shakeHands()
				c.send(text("before"))
				if name == "MessageFunc" { // A reader that the handler has already is its own.
					c.send(frame(0x01, "half "))
				}
				c.want(closeReply(3000, "the credentials have expired"))
				if name == "MessageFunc" {
					c.send(frame(0x80, "after"))
				}
				c.send(text("after") + text("after"))
				synctest.Wait()
				c.send(text("after") + closing(3000, ""))
				c.WantEnd()
				if got := <-handled; got != "before" || len(handled) > 0 {
					t.Errorf("handled %q and %d more, want only the one before", got, len(handled))
				}
			})
		})
	}
}

// A client that has a whole /64, or any port, gets no further by it where Client reads a header.
func TestClientIsANetwork(t *testing.T) {
	inBubble(t, middleware.Options{
		Handler: plainEcho(), MaxConnsPerClient: 1,
		Client: func(r *http.Request) string { return r.Header.Get("X-Forwarded-For") },
	}, func(t *testing.T, dial func() *rawClient) {
		for _, test := range []struct {
			from string
			want int
		}{
			{"2001:db8::1", 101},
			{"2001:db8::2", 429},
			{"[2001:db8::3]:1234", 429},
			{"2001:db8:0:1::1", 101},
			{"192.0.2.1", 101},
			{"192.0.2.1:1234", 429},
			{"ada", 101},
			{"ada", 429},
		} {
			resp := dial().request("/ws", handshakeLines, "X-Forwarded-For: "+test.from+"\r\n")
			if resp.StatusCode != test.want {
				t.Errorf("%s: %s, want %d", test.from, resp.Status, test.want)
			}
		}
	})
}

// Credentials that have ended before the handshake do not even give time for one message.
func TestExpiredBeforeTheHandshake(t *testing.T) {
	var handled atomic.Int32
	opts := middleware.Options{
		Expires: func(*http.Request) time.Time { return time.Now().Add(-time.Second) },
		Handler: middleware.MessageFunc(func(io.Writer, *middleware.Message) error {
			handled.Add(1)
			return nil
		}),
	}
	for range 50 {
		inBubble(t, opts, func(t *testing.T, dial func() *rawClient) {
			c := dial()
			c.send("GET /ws HTTP/1.1\r\n" + handshakeLines + "\r\n" + text("at once"))
			c.response()
			c.want(closeReply(3000, "the credentials have expired"))
			c.send(closing(3000, ""))
			c.WantEnd()
		})
	}
	if n := handled.Load(); n > 0 {
		t.Errorf("handled %d messages", n)
	}
}

// A hook that panics does not keep the other from being called: it may count.
func TestJoinedHooksPanic(t *testing.T) {
	panics := func(*middleware.Conn, time.Duration) { panic("hook") }
	called := 0
	counts := middleware.Hooks{Pong: func(*middleware.Conn, time.Duration) { called++ }}
	for _, joined := range []middleware.Hooks{
		middleware.JoinHooks(middleware.Hooks{Pong: panics}, counts),
		middleware.JoinHooks(counts, middleware.Hooks{Pong: panics}),
	} {
		func() {
			defer func() {
				if recover() != "hook" {
					t.Error("the panic is lost")
				}
			}()
			joined.Pong(nil, 0)
		}()
	}
	if called != 2 {
		t.Errorf("the other was called %d times, want 2", called)
	}
}

// A slot comes back if a function of the options panics.
func TestSlotsAfterPanics(t *testing.T) {
	panics := ""
	inBubble(t, middleware.Options{
		Handler: plainEcho(), MaxConns: 1, MaxConnsPerClient: 1,
		Client: func(*http.Request) string {
			if panics == "Client" {
				panic(http.ErrAbortHandler)
			}
			return ""
		},
		Expires: func(*http.Request) time.Time {
			if panics == "Expires" {
				panic(http.ErrAbortHandler)
			}
			return time.Time{}
		},
	}, func(t *testing.T, dial func() *rawClient) {
		for _, panics = range []string{"Client", "Expires"} {
			c := dial()
			c.send("GET /ws HTTP/1.1\r\n" + handshakeLines + "\r\n")
			c.WantEnd()
		}
		panics = ""
		dial().shakeHands()
	})
}

// Pings within a message count for the MaxMessageRate, and so delay what follows.
func TestPingsWithinAMessageArePaced(t *testing.T) {
	inBubble(t, middleware.Options{
		Handler: plainEcho(), MaxMessageRate: 100, PingInterval: -1,
	}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		began := time.Now()
		go func() {
			_, _ = io.WriteString(c.Conn, frame(0x01, "a")+strings.Repeat(frame(0x89, ""), 599))
			_, _ = io.WriteString(c.Conn, frame(0x00, "b")+frame(0x89, "last")+frame(0x80, "c"))
		}()
		for range 599 {
			c.want(reply(0x8a, ""))
		}
		c.want(reply(0x8a, "last") + reply(0x81, "abc"))
		if got := time.Since(began); got < 5*time.Second || got > 6*time.Second {
			t.Errorf("after %v, want 5s: the first 100 frames are free", got)
		}
		c.send(closing(1000, ""))
		c.want(closeReply(1000, ""))
		c.WantEnd()
	})
}

// A client that is gone while the reader pauses is found by pings, rather than when all that it has
// sent is read.
func TestGoneDuringAPause(t *testing.T) {
	silent := middleware.MessageFunc(func(io.Writer, *middleware.Message) error { return nil })
	for name, handler := range map[string]middleware.Handler{
		"plain": silent, "batched": middleware.Batched(silent),
	} {
		t.Run(name, func(t *testing.T) {
			var closed chan middleware.CloseInfo
			inBubble(t, middleware.Options{
				Handler:        handler,
				MaxMessageRate: .001,
				Hooks: middleware.Hooks{
					Closed: func(_ *middleware.Conn, info middleware.CloseInfo) { closed <- info },
				},
			}, func(t *testing.T, dial func() *rawClient) {
				closed = make(chan middleware.CloseInfo, 1)
				c := dial().shakeHands()
				began := time.Now()
				c.send(strings.Repeat(text("x"), 500))
				synctest.Wait()
				_ = c.Close()
				info := <-closed
				if got := time.Since(began); got > 2*time.Minute || info.Code != 1006 {
					t.Errorf("closed after %v: %+v", got, info)
				}
			})
		})
	}
}

// What others write while the reader pauses is not held back, pings neither.
func TestWritesDuringAPause(t *testing.T) {
	inBubble(t, middleware.Options{
		MaxMessageRate: .1, PingInterval: 6 * time.Second,
		Handler: middleware.HandlerFunc(func(ctx context.Context, c *middleware.Conn) error {
			time.AfterFunc(time.Second, func() {
				_ = c.WriteMessage(middleware.TextMessage, []byte("pushed"))
			})
			return middleware.Batched(plainEcho()).ServeConn(ctx, c)
		}),
	}, func(_ *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		c.send(text("x") + text("y"))
		c.want(reply(0x81, "x"))
		c.wantAfter(time.Second, reply(0x81, "pushed"))
		c.wantAfter(5*time.Second, reply(0x89, ""))
		c.wantAfter(4*time.Second, reply(0x81, "y"))
	})
}
