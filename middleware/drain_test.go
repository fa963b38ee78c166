package middleware_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware"
)

// shutdownInBubble runs a test with a client and the shutdown of its server.
func shutdownInBubble(
	t *testing.T, opts middleware.Options, test func(t *testing.T, c *rawClient, shutdown func(time.Duration) error),
) {
	var m *middleware.Middleware
	opts.Logger = textLogger(io.Discard)
	handlerInBubble(t, func() http.Handler {
		m = middleware.New(opts)
		return m
	}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		synctest.Wait()
		test(t, c, func(timeout time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			return m.Shutdown(ctx)
		})
	})
}

const goingAway = "server is shutting down"

// A client that is quiet for 50 ms gets 1001.
func TestDrainOfQuietClient(t *testing.T) {
	shutdownInBubble(t, middleware.Options{Handler: plainEcho()}, func(t *testing.T, c *rawClient, shutdown func(time.Duration) error) {
		done := make(chan error, 1)
		go func() { done <- shutdown(time.Minute) }()
		c.wantAfter(50*time.Millisecond, closeReply(1001, goingAway))
		c.send(closing(1001, ""))
		c.WantEnd()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A client that goes on sending has its messages answered, and gets 1001 after a second.
func TestDrainOfBusyClient(t *testing.T) {
	shutdownInBubble(t, middleware.Options{Handler: plainEcho()}, func(t *testing.T, c *rawClient, shutdown func(time.Duration) error) {
		began := time.Now()
		done := make(chan error, 1)
		go func() { done <- shutdown(time.Minute) }()
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			for err := error(nil); err == nil; {
				time.Sleep(45 * time.Millisecond)
				_, err = io.WriteString(c.Conn, text("x"))
			}
		}()
		for range 22 {
			c.want(reply(0x81, "x"))
		}
		c.want(closeReply(1001, goingAway))
		if got := time.Since(began); got != time.Second {
			t.Errorf("closed after %v", got)
		}
		_ = c.Close()
		<-stopped
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// What does not end before the context is cut, with a close frame if the client takes it.
func TestShutdownCutsBusyHandler(t *testing.T) {
	busy := middleware.HandlerFunc(func(ctx context.Context, _ *middleware.Conn) error {
		<-ctx.Done()
		return nil
	})
	shutdownInBubble(t, middleware.Options{Handler: busy}, func(t *testing.T, c *rawClient, shutdown func(time.Duration) error) {
		began := time.Now()
		done := make(chan error, 1)
		go func() { done <- shutdown(3 * time.Second) }()
		c.wantAfter(3*time.Second, closeReply(1001, goingAway))
		c.WantEnd()
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if got := time.Since(began); got != 3*time.Second {
			t.Errorf("cut after %v", got)
		}
	})
}

// A connection counts until it has ended.
func TestNumConns(t *testing.T) {
	var m *middleware.Middleware
	handlerInBubble(t, func() http.Handler {
		m = middleware.New(middleware.Options{Logger: textLogger(io.Discard)})
		return m
	}, func(t *testing.T, dial func() *rawClient) {
		want := func(want int) {
			t.Helper()
			synctest.Wait()
			if got := m.NumConns(); got != want {
				t.Errorf("NumConns: %d, want %d", got, want)
			}
		}
		c := dial()
		want(0)
		c.shakeHands()
		dial().shakeHands()
		want(2)
		done := make(chan error, 1)
		go func() { done <- m.Shutdown(t.Context()) }()
		c.want(closeReply(1001, goingAway))
		want(2)
		c.send(closing(1001, ""))
		c.WantEnd()
		_ = c.Close()
		want(1)
		if err := <-done; err != nil {
			t.Error(err)
		}
		want(0)
	})
}
