// Package wsecho_test is the contract of wsecho: black-box tests with real listeners and real
// clients.
package wsecho_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	wsnegroni "example.com/wsecho/adapters/negroni"
	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
	"github.com/gorilla/websocket"
	"github.com/urfave/negroni/v3"
)

// timeout bounds every wait.
const timeout = 10 * time.Second

func TestMain(m *testing.M) { wstest.Main(m) }

// app is the application that the middleware is added to.
func app() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "respond with a resource")
	})
	return mux
}

func serve(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func dial(t *testing.T, s *httptest.Server, path string) *websocket.Conn {
	t.Helper()
	ws, resp, err := websocket.DefaultDialer.Dial("ws"+s.URL[len("http"):]+path, nil)
	if err != nil {
		t.Fatalf("dialing %s: %v", path, err)
	}
	_ = resp.Body.Close()
	_ = ws.SetReadDeadline(time.Now().Add(timeout))
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

func send(t *testing.T, ws *websocket.Conn, messageType int, payload string) {
	t.Helper()
	if err := ws.WriteMessage(messageType, []byte(payload)); err != nil {
		t.Fatal(err)
	}
}

func wantMessage(t *testing.T, ws *websocket.Conn, messageType int, payload string) {
	t.Helper()
	gotType, got, err := ws.ReadMessage()
	if err != nil || gotType != messageType || string(got) != payload {
		t.Fatalf("got message %d %q, %v; want %d %q", gotType, got, err, messageType, payload)
	}
}

func wantClose(t *testing.T, ws *websocket.Conn, code int, reason string) {
	t.Helper()
	_, p, err := ws.ReadMessage()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != code || closed.Text != reason {
		t.Fatalf("got %q, %v; want close %d %q", p, err, code, reason)
	}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// The five steps of an Express app with the npm package ws: share the server, accept the
// connection, handle the message, and reply, while the other routes stay unchanged.
func TestFiveSteps(t *testing.T) {
	ws := middleware.New(middleware.Options{})
	s := serve(t, ws.Handler(app()))
	c := dial(t, s, "/ws")
	send(t, c, websocket.TextMessage, "Hello from the client")
	wantMessage(t, c, websocket.TextMessage,
		"Hello from the server! You sent: Hello from the client")
	if status, body := get(t, s.URL+"/users"); status != 200 || body != "respond with a resource" {
		t.Errorf("GET /users: %d %q", status, body)
	}
}

func TestEcho(t *testing.T) {
	s := serve(t, middleware.New(middleware.Options{}).Handler(app()))
	c := dial(t, s, "/ws")
	const greeting = "Hello from the server! You sent: "
	for _, test := range []struct {
		name        string
		messageType int
		in, out     string
	}{
		{"text", websocket.TextMessage, "abc", greeting + "abc"},
		{"Unicode", websocket.TextMessage, "grüße, 世界 🌍\x00", greeting + "grüße, 世界 🌍\x00"},
		{"empty text", websocket.TextMessage, "", greeting},
		{"binary", websocket.BinaryMessage, "\x00\xff\xfe", greeting + "\x00\xff\xfe"},
		{"empty binary", websocket.BinaryMessage, "", greeting},
		{"large", websocket.TextMessage, strings.Repeat("x", 1<<20), greeting + strings.Repeat("x", 1<<20)},
	} {
		t.Run(test.name, func(t *testing.T) {
			send(t, c, test.messageType, test.in)
			wantMessage(t, c, test.messageType, test.out)
		})
	}
}

// A reply is a single frame with exactly these bytes.
func TestEchoBytes(t *testing.T) {
	s := serve(t, middleware.New(middleware.Options{}).Handler(app()))
	c := wstest.NewClient(t, rawDial(t, s))
	c.Timeout = timeout
	resp := c.Handshake("/ws")
	// The example of RFC 6455 §1.3.
	accept := resp.Header.Get("Sec-WebSocket-Accept")
	if resp.StatusCode != 101 || accept != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("handshake: %s, Sec-WebSocket-Accept %q", resp.Status, accept)
	}
	// FIN and text, masked, 21 bytes; the payload XORed with the key 1 2 3 4.
	frame := []byte{0x81, 0x80 | 21, 1, 2, 3, 4}
	for i, b := range []byte("Hello from the client") {
		frame = append(frame, b^byte(i%4+1))
	}
	if _, err := c.Conn().Write(frame); err != nil {
		t.Fatal(err)
	}
	want := "\x81\x36Hello from the server! You sent: Hello from the client"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

func rawDial(t *testing.T, s *httptest.Server) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(timeout))
	return c
}

// A request that is no handshake on the path reaches next unchanged.
func TestPassThrough(t *testing.T) {
	var gotW http.ResponseWriter
	var gotR *http.Request
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { gotW, gotR = w, r })
	h := middleware.New(middleware.Options{Logger: quiet()}).Handler(next)
	for _, test := range []struct {
		name, method, path string
		header             http.Header
	}{
		{"plain GET on the path", "GET", "/ws", nil},
		{"POST on the path", "POST", "/ws", nil},
		{"HEAD on the path", "HEAD", "/ws", nil},
		{"h2c on the path", "GET", "/ws", http.Header{"Connection": {"Upgrade, HTTP2-Settings"}, "Upgrade": {"h2c"}}},
		{"Upgrade not named by Connection", "GET", "/ws", http.Header{"Upgrade": {"websocket"}}},
		{"Connection without Upgrade", "GET", "/ws", http.Header{"Connection": {"Upgrade"}}},
		{"key only", "GET", "/ws", http.Header{"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}},
		{"handshake elsewhere", "GET", "/chat", http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}},
		{"handshake below the path", "GET", "/ws/", http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(test.method, test.path, strings.NewReader("body"))
			for k, v := range test.header {
				r.Header[k] = v
			}
			gotW, gotR = nil, nil
			h.ServeHTTP(w, r)
			if gotW != w || gotR != r {
				t.Errorf("next got %p %p, want %p %p", gotW, gotR, w, r)
			}
		})
	}
}

// On a real server, request bodies, streaming, flushes and panics of next work as without ws.
func TestPassThroughServer(t *testing.T) {
	mux := http.NewServeMux()
	proceed := make(chan struct{})
	mux.HandleFunc("POST /ws", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%d bytes, %v", len(b), err)
	})
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first ")
		w.(http.Flusher).Flush()
		<-proceed
		_, _ = io.WriteString(w, "second")
	})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	})
	s := serve(t, middleware.New(middleware.Options{}).Handler(mux))

	resp, err := http.Post(s.URL+"/ws", "text/plain", strings.NewReader(strings.Repeat("x", 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); string(b) != "1048576 bytes, <nil>" {
		t.Errorf("POST: %q", b)
	}

	resp, err = http.Get(s.URL + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, len("first "))
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "first " {
		t.Errorf("stream: %q, %v", first, err)
	}
	close(proceed)
	if b, err := io.ReadAll(resp.Body); string(b) != "second" {
		t.Errorf("stream: %q, %v", b, err)
	}

	if resp, err := http.Get(s.URL + "/panic"); err == nil {
		_ = resp.Body.Close()
		t.Errorf("GET /panic: %v, want no response", resp.Status)
	}
}

func TestRefusals(t *testing.T) {
	const (
		host    = "Host: localhost\r\n"
		upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		version = "Sec-WebSocket-Version: 13\r\n"
		key     = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		all     = host + upgrade + version + key
	)
	s := serve(t, middleware.New(middleware.Options{Logger: quiet()}).Handler(app()))
	for _, test := range []struct {
		name, request string
		status        int
		header        string // a required one, as "Name: value"
		says          string
	}{
		{"POST", "POST /ws HTTP/1.1\r\n" + all, 405, "Allow: GET", "must be a GET"},
		{"HTTP/1.0", "GET /ws HTTP/1.0\r\n" + all, 400, "", "needs HTTP/1.1"},
		{"no key", "GET /ws HTTP/1.1\r\n" + host + upgrade + version, 400, "", "0 Sec-WebSocket-Key headers"},
		{"two keys", "GET /ws HTTP/1.1\r\n" + all + key, 400, "", "2 Sec-WebSocket-Key headers"},
		{"short key", "GET /ws HTTP/1.1\r\n" + host + upgrade + version + "Sec-WebSocket-Key: c2hvcnQ=\r\n", 400, "", `"c2hvcnQ=": must be 16 bytes`},
		{"no version", "GET /ws HTTP/1.1\r\n" + host + upgrade + key, 426, "Sec-WebSocket-Version: 13", "must be 13"},
		{"version 8", "GET /ws HTTP/1.1\r\n" + host + upgrade + key + "Sec-WebSocket-Version: 8\r\n", 426, "Upgrade: websocket", `"8": must be 13`},
		{"two versions", "GET /ws HTTP/1.1\r\n" + all + version, 426, "Sec-WebSocket-Version: 13", "must be 13"},
		{"cross-origin", "GET /ws HTTP/1.1\r\n" + all + "Origin: https://evil.example\r\n", 403, "", `"https://evil.example" is not allowed to connect to host "localhost"`},
		{"two origins", "GET /ws HTTP/1.1\r\n" + all + "Origin: http://localhost\r\nOrigin: http://localhost\r\n", 403, "", "2 Origin headers"},
		{"body", "GET /ws HTTP/1.1\r\n" + all + "Content-Length: 2\r\n", 400, "", "must have no body"},
		{"chunked body", "GET /ws HTTP/1.1\r\n" + all + "Transfer-Encoding: chunked\r\n", 400, "", "must have no body"},
		{"bad subprotocol", "GET /ws HTTP/1.1\r\n" + all + "Sec-WebSocket-Protocol: a b\r\n", 400, "", `"a b": must be a token`},
		{"subprotocol twice", "GET /ws HTTP/1.1\r\n" + all + "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n", 400, "", "must not be offered twice"},
		{"bad extension", "GET /ws HTTP/1.1\r\n" + all + "Sec-WebSocket-Extensions: a b\r\n", 400, "", "malformed Sec-WebSocket-Extensions"},
		{"stripped headers go to next", "GET /ws HTTP/1.1\r\n" + host + version + key, 404, "", "404 page not found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := rawDial(t, s)
			if _, err := io.WriteString(c, test.request+"\r\n"); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(io.LimitReader(resp.Body, resp.ContentLength))
			if resp.StatusCode != test.status || !strings.Contains(string(body), test.says) {
				t.Errorf("got %d %q, want %d with %q", resp.StatusCode, body, test.status, test.says)
			}
			if got := resp.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
				t.Errorf("Content-Type: %q", got)
			}
			if name, want, ok := strings.Cut(test.header, ": "); ok && resp.Header.Get(name) != want {
				t.Errorf("%s: %q, want %q", name, resp.Header.Get(name), want)
			}
		})
	}
}

// A negroni pipeline logs the 101, and next does not run after the upgrade.
func TestNegroni(t *testing.T) {
	var logged lockedBuffer
	logger := negroni.NewLogger()
	logger.ALogger = log.New(&logged, "", 0)
	logger.SetFormat("{{.Status}} {{.Method}} {{.Path}}")
	n := negroni.New(negroni.NewRecovery(), logger)
	ws := middleware.New(middleware.Options{Logger: quiet()})
	n.Use(wsnegroni.New(ws))
	n.UseHandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "next for "+r.URL.Path)
	})
	s := serve(t, n)
	if status, body := get(t, s.URL+"/users"); status != 200 || body != "next for /users" {
		t.Errorf("GET /users: %d %q", status, body)
	}
	c := dial(t, s, "/ws")
	send(t, c, websocket.TextMessage, "Hello from the client")
	wantMessage(t, c, websocket.TextMessage,
		"Hello from the server! You sent: Hello from the client")
	_ = c.Close()
	shutdown(t, ws)
	const want = "200 GET /users\n101 GET /ws\n"
	// The logger writes after the handler has returned, so the test has to poll.
	for deadline := time.Now().Add(timeout); logged.String() != want; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("logged %q, want %q", logged.String(), want)
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func shutdown(t *testing.T, ws *middleware.Middleware) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := ws.Shutdown(ctx); err != nil {
		t.Fatalf("Shutdown: %v", err)
	}
}

// Shutdown refuses handshakes, answers received messages, and sends clients a close reason.
func TestShutdown(t *testing.T) {
	received, proceed := make(chan struct{}), make(chan struct{})
	ws := middleware.New(middleware.Options{
		Logger: quiet(),
		Handler: middleware.MessageFunc(func(w io.Writer, m *middleware.Message) error {
			if string(m.Data) == "slow" {
				close(received)
				<-proceed
			}
			_, err := w.Write(m.Data)
			return err
		}),
	})
	s := serve(t, ws.Handler(app()))
	idle, busy := dial(t, s, "/ws"), dial(t, s, "/ws")
	send(t, busy, websocket.TextMessage, "slow")
	send(t, busy, websocket.TextMessage, "behind it")
	<-received

	done := make(chan error, 1)
	go func() { done <- ws.Shutdown(t.Context()) }()
	wantClose(t, idle, 1001, "server is shutting down")

	resp := wstest.NewClient(t, rawDial(t, s)).Handshake("/ws")
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "1" {
		t.Errorf("handshake during Shutdown: %v", resp)
	}
	select {
	case err := <-done:
		t.Fatalf("Shutdown returned %v with a message unanswered", err)
	default:
	}
	close(proceed)
	wantMessage(t, busy, websocket.TextMessage, "slow")
	wantMessage(t, busy, websocket.TextMessage, "behind it")
	wantClose(t, busy, 1001, "server is shutting down")
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if status, _ := get(t, s.URL+"/users"); status != 200 {
		t.Errorf("GET /users after Shutdown: %d", status)
	}
}

// When its context is done, Shutdown cuts connections whose handler has not returned.
func TestShutdownCuts(t *testing.T) {
	received, proceed := make(chan struct{}), make(chan struct{})
	ws := middleware.New(middleware.Options{
		Logger: quiet(),
		Handler: middleware.MessageFunc(func(io.Writer, *middleware.Message) error {
			close(received)
			<-proceed
			return nil
		}),
	})
	s := serve(t, ws.Handler(app()))
	t.Cleanup(func() { close(proceed) })
	c := dial(t, s, "/ws")
	send(t, c, websocket.TextMessage, "stuck")
	<-received
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ws.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	wantClose(t, c, 1001, "server is shutting down")
}
