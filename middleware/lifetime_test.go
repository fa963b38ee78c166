package middleware_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

// A client that sends and does not read is no longer read from, and cut after WriteTimeout.
func TestWriteTimeout(t *testing.T) {
	failed := make(chan error, 1)
	echo := plainEcho()
	s := serve(t, middleware.Options{
		Handler: middleware.HandlerFunc(func(ctx context.Context, c *middleware.Conn) error {
			err := echo.ServeConn(ctx, c)
			failed <- err
			return err
		}),
		WriteTimeout: 50 * time.Millisecond,
	})
	c := connect(t, s)
	sent := 0
	for message := frame(0x82, strings.Repeat("x", 1<<16)); ; sent++ {
		if _, err := io.WriteString(c.Conn, message); err != nil {
			break
		}
		if sent > 10000 {
			t.Fatal("the server goes on reading from a client that does not read")
		}
	}
	var timeout net.Error
	if err := <-failed; !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("the handler got %v, want a timeout", err)
	}
}

func TestMaxConns(t *testing.T) {
	s := serve(t, middleware.Options{Handler: plainEcho(), MaxConns: 2})
	first, second := connect(t, s), connect(t, s)
	c := dialRaw(t, s)
	resp := c.request("/ws", handshakeLines)
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "1" ||
		string(body) != "the limit of 2 WebSocket connections is reached\n" {
		t.Errorf("got %s %q, Retry-After %q", resp.Status, body, resp.Header.Get("Retry-After"))
	}
	_ = first.Close()
	third := connectWhenFree(t, s)
	for _, c := range []*rawClient{second, third} {
		c.send(text("a"))
		c.want(reply(0x81, "a"))
	}
}

// Refused handshakes, failed hijacks and panics before the connection leave no slot taken.
func TestSlotsAfterRefusals(t *testing.T) {
	m := middleware.New(middleware.Options{
		Handler: plainEcho(), MaxConns: 1, Logger: textLogger(io.Discard),
	})
	for range 3 {
		w := httptest.NewRecorder()
		m.ServeHTTP(w, handshakeRequest())
		if w.Code != 500 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
	for range 3 {
		func() {
			defer func() {
				err, ok := recover().(error)
				want := "middleware: hijacking through a *middleware_test.brokenHijacker: broken"
				if !ok || err.Error() != want {
					t.Errorf("panicked with %v, want %s", err, want)
				}
			}()
			m.ServeHTTP(&brokenHijacker{httptest.NewRecorder()}, handshakeRequest())
		}()
	}
	c := connect(t, serveHandler(t, m))
	c.send(text("a"))
	c.want(reply(0x81, "a"))
}

type brokenHijacker struct{ w http.ResponseWriter }

func (w *brokenHijacker) Header() http.Header         { return w.w.Header() }
func (w *brokenHijacker) Write(p []byte) (int, error) { return w.w.Write(p) }
func (w *brokenHijacker) WriteHeader(code int)        { w.w.WriteHeader(code) }

func (w *brokenHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, errors.New("broken")
}

// Shutdown with many connections in every state: each gets 1001, each complete message its
// answer.
func TestShutdownOfMany(t *testing.T) {
	m := middleware.New(middleware.Options{
		Handler: middleware.Batched(plainEcho()), Logger: textLogger(io.Discard),
		CloseTimeout: 4 * patience, // as the clients have
	})
	s := serveHandler(t, m)
	const kinds, each = 4, 20
	clients := make([]*rawClient, kinds*each)
	for i := range clients {
		clients[i] = connect(t, s)
	}
	var ready, done sync.WaitGroup
	for i, c := range clients {
		_ = c.SetDeadline(time.Now().Add(4 * patience)) // The flood slows everybody down.
		ready.Add(1)
		done.Go(func() {
			if err := shutdownClient(c, i%kinds, ready.Done); err != nil {
				t.Errorf("client of kind %d: %v", i%kinds, err)
			}
		})
	}
	ready.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	if err := m.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	done.Wait()
	if err := m.Shutdown(ctx); err != nil {
		t.Errorf("second Shutdown: %v", err)
	}
}

// shutdownClient is idle, in the middle of a message, waiting for answers, or flooding.
func shutdownClient(c *rawClient, kind int, ready func()) error {
	defer func() { _ = c.Close() }()
	const floods = 3
	stop := make(chan struct{})
	var flooding sync.WaitGroup
	payload := "message"
	if kind == floods { // Tiny messages would be a test of the CPU.
		payload = strings.Repeat("x", 10<<10)
	}
	message := text(payload)
	want := 0
	switch kind {
	case 0:
		ready()
	case 1:
		_, _ = io.WriteString(c.Conn, message[:4])
		ready()
	case 2:
		want = 20
		_, _ = io.WriteString(c.Conn, strings.Repeat(message, want))
		ready()
	case floods:
		flooding.Go(func() { flood(c, message, stop) })
		ready()
	}
	answers, err := answersUntilClose(c, reply(0x81, payload))
	if err == nil && kind != floods && answers != want {
		err = fmt.Errorf("%d answers, want %d", answers, want)
	}
	// Writes to a socket take turns, but not in order: a flood can keep the close frame waiting.
	close(stop)
	if err != nil {
		return err
	}
	flooding.Wait()
	_, err = io.WriteString(c.Conn, closing(1001, ""))
	return err
}

func flood(c *rawClient, message string, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		if _, err := io.WriteString(c.Conn, message); err != nil {
			return
		}
	}
}

// answersUntilClose counts whole answers, up to a close frame with 1001.
func answersUntilClose(c *rawClient, answer string) (int, error) {
	bye := closeReply(1001, "server is shutting down")
	r := bufio.NewReader(c)
	for n := 0; ; n++ {
		first, err := r.Peek(1)
		if err != nil {
			return n, err
		}
		want := answer
		if first[0] == bye[0] {
			want = bye
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(r, got); err != nil {
			return n, err
		}
		switch {
		case string(got) != want:
			return n, fmt.Errorf("got %s", shorten(got))
		case want == bye:
			return n, nil
		}
	}
}

// Handshakes that race with Shutdown are refused, or served and ended; none is forgotten.
func TestShutdownRace(t *testing.T) {
	for range 20 {
		m := middleware.New(middleware.Options{Handler: plainEcho(), Logger: textLogger(io.Discard)})
		s := serveHandler(t, m)
		var clients sync.WaitGroup
		for range 5 {
			c := dialRaw(t, s)
			clients.Go(func() {
				defer func() { _ = c.Close() }()
				_, _ = io.WriteString(c.Conn, "GET /ws HTTP/1.1\r\n"+handshakeLines+"\r\n")
				resp, err := readResponse(c)
				switch {
				case err != nil:
					t.Error(err)
				case resp.StatusCode == 101:
					if _, err := answersUntilClose(c, reply(0x81, "message")); err != nil {
						t.Error(err)
					}
				case resp.StatusCode != 503:
					t.Error(resp.Status)
				}
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if err := m.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		cancel()
		clients.Wait()
		s.Close()
	}
}

// What a client goes on sending does not reset the connection under the close frame.
func TestNoReset(t *testing.T) {
	s := serve(t, middleware.Options{Handler: plainEcho()})
	c := connect(t, s)
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(c.Conn, text("before")+frame(0x83, "")+strings.Repeat("garbage", 1<<20))
		sent <- err
		_ = c.Conn.(*net.TCPConn).CloseWrite()
	}()
	if err := <-sent; err != nil { // Only now is anything read.
		t.Fatal(err)
	}
	c.want(reply(0x81, "before") + closeReply(1002, "reserved opcode 3"))
	c.WantEnd()
}

// gorilla panics on the 1000th read after an error, and on concurrent writes; a Conn does not.
func TestNoPanics(t *testing.T) {
	done := make(chan error, 1)
	s := serve(t, middleware.Options{
		Handler: middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
			var writers sync.WaitGroup
			for range 8 {
				writers.Go(func() {
					for range 100 {
						_ = c.WriteMessage(middleware.BinaryMessage, []byte("concurrent"))
					}
				})
			}
			writers.Wait()
			for range 2000 {
				if _, _, err := c.ReadMessage(); err == nil {
					return errors.New("a message after the end")
				}
			}
			done <- nil
			return nil
		}),
	})
	c := connect(t, s)
	c.want(strings.Repeat(reply(0x82, "concurrent"), 800))
	c.send(closing(1000, ""))
	c.want(closeReply(1000, ""))
	<-done
}

// A detached connection outlives the request, and is known to Shutdown all the same.
func TestDetach(t *testing.T) {
	m := middleware.New(middleware.Options{
		Handler: plainEcho(), Detach: true, MaxConns: 1, Logger: textLogger(io.Discard),
	})
	returned := make(chan struct{}, 1)
	s := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.ServeHTTP(w, r)
		returned <- struct{}{}
	}))
	c := connect(t, s)
	<-returned
	c.send(text("a"))
	c.want(reply(0x81, "a"))
	if resp := dialRaw(t, s).request("/ws", handshakeLines); resp.StatusCode != 503 {
		t.Errorf("beyond MaxConns: %s", resp.Status)
	}
	done := make(chan error, 1)
	go func() { done <- m.Shutdown(t.Context()) }()
	c.want(closeReply(1001, "server is shutting down"))
	c.send(closing(1001, ""))
	c.WantEnd()
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// lateHijack is a ResponseWriter that holds up the handshake.
type lateHijack struct {
	http.ResponseWriter
	begun, release chan struct{}
}

func (w *lateHijack) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	close(w.begun)
	<-w.release
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// A handshake that ends after Shutdown has given up is cut, and not drained: its client would be
// served for as long as it sends.
func TestHandshakeAfterShutdown(t *testing.T) {
	m := middleware.New(middleware.Options{
		Handler: middleware.HandlerFunc(func(ctx context.Context, _ *middleware.Conn) error {
			<-ctx.Done() // It does not read, so draining would not end it.
			return nil
		}),
		Logger: textLogger(io.Discard),
	})
	begun, release := make(chan struct{}), make(chan struct{})
	s := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.ServeHTTP(&lateHijack{w, begun, release}, r)
	}))
	c := dialRaw(t, s)
	c.send("GET /ws HTTP/1.1\r\n" + handshakeLines + "\r\n")
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Shutdown(ctx); err != context.Canceled {
		t.Fatalf("Shutdown: %v", err)
	}
	close(release)
	if resp := c.response(); resp.StatusCode != 101 {
		t.Fatal(resp.Status)
	}
	c.want(closeReply(1001, goingAway))
	c.WantEnd()
}
