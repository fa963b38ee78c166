package middleware_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
)

// Pings come at the interval, and whatever the client sends counts as an answer.
func TestPing(t *testing.T) {
	inBubble(t, middleware.Options{Handler: plainEcho()}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		for range 5 {
			c.wantAfter(30*time.Second, reply(0x89, ""))
			c.send(frame(0x8a, ""))
		}
		for range 5 {
			c.wantAfter(30*time.Second, reply(0x89, ""))
			c.send(frame(0x8a, "some other pong"))
		}
		for range 5 {
			c.wantAfter(30*time.Second, reply(0x89, ""))
			time.Sleep(9 * time.Second)
			c.send(text("a message"))
			c.want(reply(0x81, "a message"))
			c.wantAfter(21*time.Second, reply(0x89, ""))
			c.send(frame(0x89, "a ping"))
			c.want(reply(0x8a, "a ping"))
		}
	})
}

// The interval holds although the time for the answer is longer.
func TestPingIntervalBelowPongTimeout(t *testing.T) {
	inBubble(t, middleware.Options{
		Handler: plainEcho(), PingInterval: 10 * time.Millisecond, PongTimeout: time.Minute,
	}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		for range 3 {
			c.wantAfter(10*time.Millisecond, reply(0x89, ""))
			c.send(frame(0x8a, ""))
		}
	})
}

// A client that does not answer is closed with 1008, within the two times and with a reason.
func TestPongTimeout(t *testing.T) {
	for _, test := range []struct {
		interval, timeout time.Duration
		want              string
	}{
		{0, 0, "no answer to a ping within 10s"},
		{10 * time.Millisecond, 30 * time.Millisecond, "no answer to a ping within 30ms"},
		{30 * time.Millisecond, 10 * time.Millisecond, "no answer to a ping within 10ms"},
	} {
		opts := middleware.Options{PingInterval: test.interval, PongTimeout: test.timeout}
		inBubble(t, opts, func(t *testing.T, dial func() *rawClient) {
			interval, timeout := test.interval, test.timeout
			if interval == 0 {
				interval, timeout = 30*time.Second, 10*time.Second
			}
			c := dial().shakeHands()
			c.wantAfter(interval, reply(0x89, ""))
			c.wantAfter(timeout, closeReply(1008, test.want))
			c.WantEnd()
		})
	}
}

// Pings go out while a handler is busy, and it is not the client's fault that nobody reads.
func TestPingWhileBusy(t *testing.T) {
	handlerInBubble(t, func() http.Handler {
		return middleware.New(middleware.Options{
			Handler: middleware.MessageFunc(func(w io.Writer, m *middleware.Message) error {
				time.Sleep(time.Hour - time.Second)
				_, err := w.Write(m.Data)
				return err
			}),
			Logger: textLogger(io.Discard),
		})
	}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		c.send(text("slow"))
		pings := 0
		for {
			first, payload := c.frame()
			if first == 0x89 {
				pings++
				continue
			}
			if first != 0x81 || payload != "slow" {
				t.Fatalf("got %#x %q", first, payload)
			}
			break
		}
		if pings != 119 {
			t.Errorf("%d pings in an hour", pings)
		}
	})
}

func TestNoPings(t *testing.T) {
	inBubble(t, middleware.Options{Handler: plainEcho(), PingInterval: -1}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		time.Sleep(24 * time.Hour)
		c.send(text("a"))
		c.want(reply(0x81, "a"))
	})
}

// Without a limit for the answer a silent client stays.
func TestNoPongTimeout(t *testing.T) {
	inBubble(t, middleware.Options{Handler: plainEcho(), PongTimeout: -1}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		for range 100 {
			c.wantAfter(30*time.Second, reply(0x89, ""))
		}
	})
}

// A client that answers neither close frame nor end of stream is cut after the CloseTimeout.
func TestCloseTimeout(t *testing.T) {
	inBubble(t, middleware.Options{
		Handler: middleware.HandlerFunc(func(context.Context, *middleware.Conn) error { return nil }),
	}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		c.want(closeReply(1000, ""))
		began := time.Now()
		c.WantEnd()
		if got := time.Since(began); got != 5*time.Second {
			t.Errorf("cut after %v", got)
		}
	})
}

// Each 256 KiB have the WriteTimeout for themselves.
func TestWriteTimeoutOfSlowClients(t *testing.T) {
	const quarter = 256 << 10
	for _, test := range []struct {
		pause time.Duration
		whole bool
	}{
		{7 * time.Second, true},
		{11 * time.Second, false},
	} {
		inBubble(t, middleware.Options{Handler: plainEcho(), PingInterval: -1}, func(t *testing.T, dial func() *rawClient) {
			c := dial().shakeHands()
			message := strings.Repeat("x", 4*quarter)
			c.send(text(message))
			got := 0
			for b := make([]byte, quarter); got < 4*quarter; time.Sleep(test.pause) {
				n, err := io.ReadFull(c, b)
				if got += n; err != nil {
					break
				}
			}
			if whole := got >= 4*quarter; whole != test.whole {
				t.Errorf("with a pause of %v, got %d bytes", test.pause, got)
			}
		})
	}
}

// slowWriter is a network that takes a time for the second half of each write.
type slowWriter struct {
	net.Conn
	pause time.Duration
}

func (w *slowWriter) Write(p []byte) (int, error) {
	half := len(p) / 2
	n, err := w.Conn.Write(p[:half])
	if err != nil {
		return n, err
	}
	time.Sleep(w.pause)
	m, err := w.Conn.Write(p[half:])
	return n + m, err
}

// A TLS record that arrives at the pace of the ReadTimeout, 16 KiB in 3.75 s, is an answer.
func TestPingDuringTLSRecord(t *testing.T) {
	certificate := httptest.NewTLSServer(nil)
	certificate.Close()
	for _, test := range []struct {
		name     string
		duration time.Duration
		want     string
	}{
		{"in time", 4750*time.Millisecond - 1, reply(0x81, "x")},
		{"too slow", 4750*time.Millisecond + 1, closeReply(1008, "no answer to a ping within 1s")},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &slowWriter{}
				c := dialTLS(t, middleware.Options{
					Handler: plainEcho(), PongTimeout: time.Second, Logger: textLogger(io.Discard),
				}, certificate.TLS, w).shakeHands()
				c.wantAfter(30*time.Second, reply(0x89, ""))
				w.pause = test.duration
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					_, _ = io.WriteString(c.Conn, text("x"))
				}()
				c.want(test.want)
				_ = w.Close()
				<-sent
			})
		})
	}
}

// dialTLS connects with TLS to a server in memory, through w.
func dialTLS(t *testing.T, opts middleware.Options, config *tls.Config, w *slowWriter) *rawClient {
	client, server := net.Pipe()
	l := make(connListener, 1)
	l <- tls.Server(server, config)
	s := &http.Server{Handler: middleware.New(opts)}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
	})
	w.Conn = client
	conn := tls.Client(w, &tls.Config{InsecureSkipVerify: true})
	c := newRawClient(t, wstest.NewClient(t, conn))
	c.Timeout = forever
	return c
}

// connListener accepts the connections that it is sent.
type connListener chan net.Conn

func (l connListener) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l connListener) Close() error   { close(l); return nil }
func (l connListener) Addr() net.Addr { return nil }
