package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
)

// Connections end between 0.9 and 1.1 of their MaxAge, each at a time of its own.
func TestMaxAge(t *testing.T) {
	inBubble(t, middleware.Options{
		Handler: plainEcho(), MaxAge: 1000 * time.Minute, PingInterval: -1,
	}, func(t *testing.T, dial func() *rawClient) {
		began := time.Now()
		ages := make(chan time.Duration)
		for range 20 {
			c := dial().shakeHands()
			go func() {
				first, payload := c.frame()
				if first != 0x88 || payload != "\x03\xe9the connection has reached its maximum age" {
					t.Errorf("got %#x %q", first, payload)
				}
				ages <- time.Since(began)
				_, _ = io.WriteString(c.Conn, closing(1001, ""))
			}()
		}
		different := map[time.Duration]bool{}
		for range 20 {
			age := <-ages - 50*time.Millisecond // in which a client is found quiet
			if age < 900*time.Minute || age > 1100*time.Minute {
				t.Errorf("closed after %v", age)
			}
			different[age] = true
		}
		if len(different) < 15 {
			t.Errorf("%d different ages", len(different))
		}
	})
}

// At the age limit what was received is answered first.
func TestMaxAgeAnswers(t *testing.T) {
	inBubble(t, middleware.Options{
		MaxAge: time.Second,
		Handler: middleware.MessageFunc(func(w io.Writer, m *middleware.Message) error {
			time.Sleep(500 * time.Millisecond)
			_, err := w.Write(m.Data)
			return err
		}),
	}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		go func() { _, _ = io.WriteString(c.Conn, text("a")+text("b")+text("c")) }()
		c.want(reply(0x81, "a") + reply(0x81, "b") + reply(0x81, "c"))
		c.want(closeReply(1001, "the connection has reached its maximum age"))
	})
}

func TestExpires(t *testing.T) {
	expired := closeReply(3000, "the credentials have expired")
	var until func() time.Time
	opts := middleware.Options{
		Expires: func(r *http.Request) time.Time {
			if r.URL.Path != "/ws" {
				t.Errorf("asked for %s", r.URL)
			}
			return until()
		},
		PingInterval: -1,
		Handler: middleware.PerConn(func(_ context.Context, c *middleware.Conn) (middleware.MessageFunc, error) {
			return func(w io.Writer, m *middleware.Message) error {
				switch string(m.Data) {
				case "renew":
					c.SetExpiry(time.Now().Add(time.Hour))
				case "for ever":
					c.SetExpiry(time.Time{})
				case "now":
					c.SetExpiry(time.Now().Add(-time.Hour))
				}
				_, err := w.Write(m.Data)
				return err
			}, nil
		}),
	}
	for _, test := range []struct {
		name     string
		until    func() time.Time
		messages string // sent after 30 minutes
		after    time.Duration
	}{
		{"never", func() time.Time { return time.Time{} }, "", 0},
		{"in an hour", func() time.Time { return time.Now().Add(time.Hour) }, "", time.Hour},
		{"in the past", func() time.Time { return time.Now().Add(-time.Hour) }, "", time.Nanosecond},
		{"renewed", func() time.Time { return time.Now().Add(time.Hour) }, "renew", 90 * time.Minute},
		{"given up", func() time.Time { return time.Now().Add(time.Hour) }, "for ever", 0},
		{"set later", func() time.Time { return time.Time{} }, "renew", 90 * time.Minute},
		{"ended", func() time.Time { return time.Time{} }, "now", 30 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			until = test.until
			inBubble(t, opts, func(t *testing.T, dial func() *rawClient) {
				began := time.Now()
				c := dial().shakeHands()
				if test.messages != "" {
					time.Sleep(30 * time.Minute)
					c.send(text(test.messages))
					if test.messages != "now" {
						c.want(reply(0x81, test.messages))
					}
				}
				if test.after == 0 {
					time.Sleep(1000 * time.Hour)
					c.send(text("still here"))
					c.want(reply(0x81, "still here"))
					return
				}
				if test.messages == "now" { // The reply to it may come before.
					if first, _ := c.frame(); first == 0x81 {
						c.want(expired)
					}
				} else {
					c.want(expired)
				}
				if got := time.Since(began).Round(time.Microsecond); got != test.after.Round(time.Microsecond) {
					t.Errorf("after %v, want %v", got, test.after)
				}
			})
		})
	}
}

// What has expired is closed, even if its credentials are renewed before the close frame is sent:
// its messages are discarded already.
func TestExpiresForGood(t *testing.T) {
	for name, renewed := range map[string]time.Time{
		"for ever": {}, "for an hour": time.Now().Add(time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, middleware.Options{
				Handler: middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
					c.SetExpiry(time.Now())
					c.SetExpiry(renewed)
					return c.Discard()
				}),
			})
			for range 10 {
				connect(t, s).want(closeReply(3000, "the credentials have expired"))
			}
		})
	}
}

func TestMaxConnsPerClient(t *testing.T) {
	inBubble(t, middleware.Options{
		Handler: plainEcho(), MaxConnsPerClient: 2,
		Client: func(r *http.Request) string { return r.URL.RawQuery },
	}, func(t *testing.T, dial func() *rawClient) {
		handshake := func(client string, want int) *rawClient {
			t.Helper()
			c := dial()
			resp := c.request("/ws?"+client, handshakeLines)
			if resp.StatusCode != want {
				t.Errorf("%s: %s, want %d", client, resp.Status, want)
			}
			return c
		}
		first := handshake("a", 101)
		handshake("a", 101)
		refused := handshake("a", 429)
		if got := refused.resp.Header.Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After %q", got)
		}
		body, _ := io.ReadAll(io.LimitReader(refused.resp.Body, 500))
		if want := "the limit of 2 WebSocket connections for one client is reached\n"; string(body) != want {
			t.Errorf("body %q, want %q", body, want)
		}
		handshake("b", 101)
		first.send(closing(1000, ""))
		first.want(closeReply(1000, ""))
		first.WantEnd()
		_ = first.Close()
		synctest.Wait()
		handshake("a", 101)
		handshake("a", 429)
	})
}

// Without Client, the address counts.
func TestMaxConnsPerAddress(t *testing.T) {
	s := serve(t, middleware.Options{MaxConnsPerClient: 2})
	connect(t, s)
	connect(t, s)
	if resp := dialRaw(t, s).request("/ws", handshakeLines); resp.StatusCode != 429 {
		t.Error(resp.Status)
	}
}

// Messages beyond the rate are read later; none is lost. Those within it are not delayed.
func TestMaxMessageRate(t *testing.T) {
	for _, test := range []struct {
		name    string
		handler middleware.Handler
		detach  bool
	}{
		{"MessageFunc", plainEcho(), false},
		{"batched", middleware.Batched(plainEcho()), false},
		{"HandlerFunc", middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
			for {
				kind, p, err := c.ReadMessage()
				if err != nil {
					return err
				}
				if err := c.WriteMessage(kind, p); err != nil {
					return err
				}
			}
		}), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, middleware.Options{
				Handler: test.handler, MaxMessageRate: 100, PingInterval: -1,
			}, func(t *testing.T, dial func() *rawClient) {
				c := dial().shakeHands()
				began := time.Now()
				go func() {
					_, _ = io.WriteString(c.Conn, strings.Repeat(text("x")+frame(0x8a, ""), 500))
				}()
				for i := range 500 { // of 1,000 frames
					c.want(reply(0x81, "x"))
					due := time.Duration(max(0, 2*i+1-100)) * 10 * time.Millisecond
					got := time.Since(began)
					if got < due-20*time.Millisecond || got > due+20*time.Millisecond {
						t.Fatalf("message %d after %v, want %v", i+1, got, due)
					}
				}
				time.Sleep(time.Minute)
				began = time.Now()
				c.send(text("y"))
				c.want(reply(0x81, "y"))
				if got := time.Since(began); got != 0 {
					t.Errorf("after a pause: %v", got)
				}
			})
		})
	}
}

// A connection whose reading pauses is closed at once.
func TestCloseDuringPause(t *testing.T) {
	shutdownInBubble(t, middleware.Options{
		Handler: plainEcho(), MaxMessageRate: .01,
	}, func(t *testing.T, c *rawClient, shutdown func(time.Duration) error) {
		began := time.Now()
		go func() { _, _ = io.WriteString(c.Conn, text("a")+text("b")) }()
		c.want(reply(0x81, "a"))
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- shutdown(time.Minute) }()
		c.want(reply(0x81, "b") + closeReply(1001, goingAway))
		if got := time.Since(began); got > time.Second {
			t.Errorf("after %v", got)
		}
		c.send(closing(1001, ""))
		c.WantEnd()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// Shutdown tells the connections one after the other, over the DrainSpread or most of the time.
func TestDrainSpread(t *testing.T) {
	for _, test := range []struct{ spread, timeout, want time.Duration }{
		{10 * time.Second, time.Minute, 10 * time.Second},
		{time.Hour, 100 * time.Second, 90 * time.Second},
		{10 * time.Second, 100 * 365 * 24 * time.Hour, 10 * time.Second},
		{0, time.Minute, 0},
		{-1, time.Minute, 0},
	} {
		t.Run(fmt.Sprint(test.spread, test.timeout), func(t *testing.T) {
			var m *middleware.Middleware
			handlerInBubble(t, func() http.Handler {
				m = middleware.New(middleware.Options{
					DrainSpread: test.spread, Logger: textLogger(io.Discard), PingInterval: -1,
				})
				return m
			}, func(t *testing.T, dial func() *rawClient) {
				const n = 10
				type end struct {
					client int
					after  time.Duration
				}
				ends := make(chan end)
				var began time.Time
				for i := range n {
					c := dial().shakeHands()
					go func() {
						c.want(closeReply(1001, goingAway))
						ends <- end{i, time.Since(began)}
						_, _ = io.WriteString(c.Conn, closing(1001, ""))
					}()
				}
				synctest.Wait()
				began = time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
				defer cancel()
				done := make(chan error, 1)
				go func() { done <- m.Shutdown(ctx) }()
				synctest.Wait()
				if resp := dial().request("/ws", handshakeLines); resp.StatusCode != 503 {
					t.Error(resp.Status)
				}
				var order []int
				for i := range n {
					e := <-ends
					want := test.want/n*time.Duration(i) + 50*time.Millisecond
					if e.after != want {
						t.Errorf("end %d after %v, want %v", i+1, e.after, want)
					}
					order = append(order, e.client)
				}
				if test.want > 0 && slices.IsSorted(order) {
					t.Errorf("in order: %v", order)
				}
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// The end of the context ends the spreading, too, and so does the end of the last connection.
func TestDrainSpreadEnds(t *testing.T) {
	shutdownInBubble(t, middleware.Options{DrainSpread: time.Hour}, func(t *testing.T, c *rawClient, shutdown func(time.Duration) error) {
		began := time.Now()
		done := make(chan error, 1)
		go func() { done <- shutdown(time.Hour) }()
		c.want(closeReply(1001, goingAway))
		c.send(closing(1001, ""))
		c.WantEnd()
		if err := <-done; err != nil || time.Since(began) > time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// A Shutdown of no connections has nothing to wait for, whatever the context.
func TestShutdownOfNone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := middleware.New(middleware.Options{DrainSpread: time.Hour})
	for i := range 100 {
		if err := m.Shutdown(ctx); err != nil {
			t.Fatalf("call %d: %v", i+1, err)
		}
	}
}

func TestPongHook(t *testing.T) {
	rtts := make(chan time.Duration, 16)
	inBubble(t, middleware.Options{
		Hooks: middleware.Hooks{Pong: func(_ *middleware.Conn, rtt time.Duration) { rtts <- rtt }},
	}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		answer := func(delay time.Duration, opcode byte) string {
			first, payload := c.frame()
			if first != 0x89 || len(payload) != 8 {
				t.Fatalf("got %#x %q, want a ping", first, payload)
			}
			time.Sleep(delay)
			c.send(frame(opcode, payload))
			return payload
		}
		payload := answer(2*time.Second, 0x8a)
		c.send(frame(0x8a, payload)) // again
		c.send(frame(0x8a, "\x00\x00\x00\x00\x00\x00\x00\x00"))
		c.send(frame(0x8a, "unasked"))
		c.send(frame(0x01, "in a ") + frame(0x8a, "") + frame(0x80, "message"))
		c.want(reply(0x81, middleware.Greeting+"in a message"))
		first, payload := c.frame()
		if first != 0x89 {
			t.Fatalf("got %#x %q, want a ping", first, payload)
		}
		time.Sleep(time.Second)
		c.send(frame(0x01, "") + frame(0x8a, payload) + frame(0x80, ""))
		c.want(reply(0x81, middleware.Greeting))
		if a, b := <-rtts, <-rtts; a != 2*time.Second || b != time.Second || len(rtts) > 0 {
			t.Errorf("round trips %v, %v and %d more; want 2s, 1s", a, b, len(rtts))
		}
	})
}

func TestJoinHooks(t *testing.T) {
	log := make(events, 16)
	all := log.hooks()
	all.Pong = func(*middleware.Conn, time.Duration) { log <- "pong" }
	joined := middleware.JoinHooks(middleware.JoinHooks(all, middleware.Hooks{}),
		middleware.JoinHooks(middleware.Hooks{}, all))
	r := handshakeRequest()
	joined.Refused(r, 403, "no")
	joined.Pong(nil, 0)
	log.want(t, "refused "+r.URL.String()+" 403 no", "refused "+r.URL.String()+" 403 no", "pong", "pong")
	joined.Sent(nil, middleware.TextMessage, 1)
	joined.Received(nil, middleware.BinaryMessage, 2)
	log.want(t, "sent text 1", "sent text 1", "received binary 2", "received binary 2")
	if h := middleware.JoinHooks(middleware.Hooks{}, middleware.Hooks{}); h.Accepted != nil || h.Closed != nil || h.Pong != nil {
		t.Error("joined of nothing is something")
	}
}

// Whoever ends a connection is told apart.
func TestCause(t *testing.T) {
	silent := middleware.HandlerFunc(func(ctx context.Context, _ *middleware.Conn) error {
		<-ctx.Done()
		return nil
	})
	flood := middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
		for {
			if err := c.WriteMessage(middleware.BinaryMessage, make([]byte, 1<<20)); err != nil {
				return err
			}
		}
	})
	failing := middleware.HandlerFunc(func(context.Context, *middleware.Conn) error {
		return errors.New("handler failed")
	})
	ms := 20 * time.Millisecond
	cut := func(c *rawClient, m *middleware.Middleware) {
		ctx, cancel := context.WithTimeout(c.t.Context(), ms)
		defer cancel()
		_ = m.Shutdown(ctx)
	}
	for _, test := range []struct {
		name string
		opts middleware.Options
		end  func(c *rawClient, m *middleware.Middleware)
		want string
	}{
		{"close frame", middleware.Options{}, func(c *rawClient, _ *middleware.Middleware) { c.send(closing(1000, "")) }, "client"},
		{"violation", middleware.Options{}, func(c *rawClient, _ *middleware.Middleware) { c.send(frame(0x83, "")) }, "server"},
		{"end of stream", middleware.Options{}, func(c *rawClient, _ *middleware.Middleware) { _ = c.Close() }, "end of stream"},
		{"end within a frame", middleware.Options{}, func(c *rawClient, _ *middleware.Middleware) {
			c.send("\x81")
			_ = c.Close()
		}, "end of stream"},
		{"reset", middleware.Options{}, func(c *rawClient, _ *middleware.Middleware) {
			_ = c.Conn.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}, "reset"},
		{"close timeout", middleware.Options{CloseTimeout: ms}, func(c *rawClient, m *middleware.Middleware) {
			_ = m.Shutdown(c.t.Context())
		}, "close timeout"},
		{"write timeout", middleware.Options{WriteTimeout: ms, Handler: flood}, func(*rawClient, *middleware.Middleware) {}, "write timeout"},
		{"cut", middleware.Options{Handler: silent}, cut, "cut"},
		{"handler failed", middleware.Options{Handler: failing}, func(c *rawClient, _ *middleware.Middleware) { c.send(closing(1011, "")) }, "server"},
		{"close timeout after that", middleware.Options{CloseTimeout: ms, Handler: failing}, func(*rawClient, *middleware.Middleware) {}, "close timeout"},
		{"cut after that", middleware.Options{Handler: failing}, cut, "cut"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log syncBuffer
			infos := make(chan middleware.CloseInfo, 1)
			test.opts.Logger = textLogger(&log)
			test.opts.Hooks.Closed = func(_ *middleware.Conn, info middleware.CloseInfo) { infos <- info }
			m := middleware.New(test.opts)
			s := serveHandler(t, m)
			c := connect(t, s)
			test.end(c, m)
			info := <-infos
			if got := info.Cause(); got != test.want {
				t.Errorf("Cause() = %q for %+v, want %q", got, info, test.want)
			}
			if failed := strings.HasPrefix(fmt.Sprint(info.Err), "handler failed"); failed != (info.Code == 1011) {
				t.Errorf("closed with %d, error %q", info.Code, info.Err)
			}
			line := fmt.Sprintf("cause=%q", test.want)
			if !strings.Contains(test.want, " ") {
				line = "cause=" + test.want
			}
			if !strings.Contains(log.String(), line) {
				t.Errorf("logged %s, want %s", log.String(), line)
			}
		})
	}
	// TCP's own timeout is none of ours.
	for _, err := range []error{syscall.EHOSTUNREACH, syscall.ETIMEDOUT} {
		if got := (middleware.CloseInfo{Code: 1006, Err: err}).Cause(); got != "network" {
			t.Errorf("%v: %q", err, got)
		}
	}
}

// A client that has answered our close frame was not cut, even if Shutdown was done with waiting
// before the stream has ended.
func TestCauseOfCutAfterAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		causes := make(chan string, 1)
		m := middleware.New(middleware.Options{
			Handler: middleware.HandlerFunc(func(context.Context, *middleware.Conn) error {
				return errors.New("handler failed")
			}),
			Hooks: middleware.Hooks{Closed: func(_ *middleware.Conn, info middleware.CloseInfo) {
				causes <- info.Cause()
			}},
			Logger: textLogger(io.Discard),
		})
		c := wstest.NewServer(t, m).Dial("/ws")
		c.Want(wstest.Close(1011, "internal server error"))
		c.Send(wstest.Close(1011, ""))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := m.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if got := <-causes; got != "server" {
			t.Errorf("cause %q", got)
		}
	})
}

// A nil pointer to a CloseError, which is an error all the same, is one of the handler.
func TestNilCloseError(t *testing.T) {
	var causes chan string
	var log syncBuffer
	inBubble(t, middleware.Options{
		Handler: middleware.MessageFunc(func(io.Writer, *middleware.Message) error {
			var err *middleware.CloseError
			return fmt.Errorf("wrapped: %w", err)
		}),
		Hooks: middleware.Hooks{Closed: func(_ *middleware.Conn, info middleware.CloseInfo) {
			defer close(causes)
			causes <- info.Cause()
		}},
		Logger: textLogger(&log),
	}, func(t *testing.T, dial func() *rawClient) {
		causes = make(chan string, 1)
		c := dial().shakeHands()
		c.send(text("x"))
		c.want(closeReply(1011, "internal server error"))
		c.send(closing(1011, ""))
		c.WantEnd()
		if got := <-causes; got != "server" {
			t.Errorf("cause %q", got)
		}
	})
	for _, want := range []string{
		`error="wrapped: middleware: nil CloseError"`, `msg="WebSocket closed"`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("logged %s, want %s", log.String(), want)
		}
	}
}
