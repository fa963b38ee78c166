package wstest_test

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
)

// Other requests are made with an http.Client, beside a WebSocket.
func TestClient(t *testing.T) {
	test := func(t *testing.T) {
		ws := middleware.New(middleware.Options{})
		s := wstest.NewServer(t, ws.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Host+r.URL.Path)
		})))
		c := s.Dial("/ws")
		resp, err := s.Client().Get("http://host.example/users")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); string(body) != "host.example/users" || err != nil {
			t.Errorf("got %q, %v", body, err)
		}
		c.Send(wstest.Text("a"))
		c.Want(wstest.Text("Hello from the server! You sent: a"))
	}
	t.Run("outside", test)
	t.Run("in a bubble", func(t *testing.T) { synctest.Test(t, test) })
}

// A server that has been shut down fails a test that connects, and does not block it.
func TestConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{TB: t}
		s := wstest.NewServer(r, http.NotFoundHandler())
		if err := s.Config.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() { _ = recover() }()
			s.Connect()
		}()
		if want := "wstest: connect: use of closed network connection"; r.failed != want {
			t.Errorf("failed with %q, want %q", r.failed, want)
		}
	})
}

// Header lines replace those of the same name, and stand beside others.
func TestHandshakeHeader(t *testing.T) {
	var got *http.Request
	s := wstest.NewServer(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
	c := s.Connect()
	_ = c.Handshake("/a", "host: other.example", "Sec-WebSocket-Version: 8", "X: 1", "X: 2").Body.Close()
	version, x := got.Header.Values("Sec-WebSocket-Version"), got.Header.Values("X")
	if got.Host != "other.example" || strings.Join(version, ",") != "8" || strings.Join(x, ",") != "1,2" {
		t.Errorf("got host %q, versions %q, X %q", got.Host, version, x)
	}
	if got.Header.Get("Sec-WebSocket-Key") != "dGhlIHNhbXBsZSBub25jZQ==" {
		t.Errorf("got %q", got.Header)
	}
}

// Read goes on behind what has been read as frames.
func TestRead(t *testing.T) {
	client, server := wstest.Pipe()
	write("\x81\x01a\x81\x05bc")(server)
	c := wstest.NewClient(t, client)
	c.Want(wstest.Text("a"))
	p := make([]byte, 4)
	if _, err := io.ReadFull(c, p); err != nil || string(p) != "\x81\x05bc" {
		t.Errorf("got %q, %v", p, err)
	}
	_ = server.Close()
	c.WantEnd()
}

// No call of the handler outlives the test, even if the request comes last.
func TestHandlerBeginsLate(t *testing.T) {
	var running, ended atomic.Int32
	const rounds = 200
	for range rounds {
		t.Run("", func(t *testing.T) {
			s := wstest.NewServer(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				running.Add(1)
				<-r.Context().Done()
				runtime.Gosched()
				running.Add(-1)
				ended.Add(1)
			}))
			write("GET / HTTP/1.1\r\nHost: x\r\n\r\n")(s.Connect().Conn())
			runtime.Gosched()
		})
		if n := running.Load(); n != 0 {
			t.Fatalf("%d calls have outlived the test", n)
		}
	}
	if ended.Load() == 0 {
		t.Error("no call has begun")
	}
}

func TestGoroutinesEnd(t *testing.T) {
	before := runtime.NumGoroutine()
	release := make(chan struct{})
	for range 100 { // more than those of earlier tests that may just be ending
		go func() { <-release }()
	}
	if wstest.GoroutinesEnd(before, 10*time.Millisecond) {
		t.Error("goroutines that have not ended are not found")
	}
	close(release)
	if !wstest.GoroutinesEnd(before, 10*time.Second) {
		t.Error("goroutines that have ended are found")
	}
}
