package middleware_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
)

// patience bounds every wait for something that is going to happen.
const patience = 10 * time.Second

func TestMain(m *testing.M) { wstest.Main(m) }

// Opcodes and bits of a first header byte.
const (
	contOp, textOp, binOp   = 0x0, 0x1, 0x2
	closeOp, pingOp, pongOp = 0x8, 0x9, 0xa

	finBit, rsv1Bit, rsv2Bit, rsv3Bit = 0x80, 0x40, 0x20, 0x10
)

// frame is a frame of the client, reply one of the server.
func frame(first byte, payload string) string {
	return wstest.Frame{First: first, Payload: payload}.Masked()
}

func text(payload string) string                   { return wstest.Text(payload).Masked() }
func closing(code uint16, reason string) string    { return wstest.Close(code, reason).Masked() }
func closeReply(code uint16, reason string) string { return wstest.Close(code, reason).Unmasked() }

func reply(first byte, payload string) string {
	return wstest.Frame{First: first, Payload: payload}.Unmasked()
}

// header is the beginning of a frame of the client, up to the key, and masked the rest.
func header(first byte, length int) string {
	f := frame(first, strings.Repeat("x", length))
	return f[:len(f)-length-4]
}

func masked(payload string) string {
	f := frame(0, payload)
	return f[len(f)-len(payload)-4:]
}

const handshakeLines = "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// rawClient is a client that sends and receives what need not be frames.
type rawClient struct {
	*wstest.Client
	net.Conn

	t    *testing.T
	resp *http.Response
}

func newRawClient(t *testing.T, c *wstest.Client) *rawClient {
	return &rawClient{Client: c, Conn: c.Conn(), t: t}
}

func dialRaw(t *testing.T, s *httptest.Server) *rawClient {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if s.TLS != nil {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	c := newRawClient(t, wstest.NewClient(t, conn))
	c.Timeout = patience
	return c
}

// Read reads behind what has been read as frames.
func (c *rawClient) Read(p []byte) (int, error) { return c.Client.Read(p) }

// request sends a GET with the header lines and reads the head of the response.
func (c *rawClient) request(path string, lines ...string) *http.Response {
	c.t.Helper()
	c.send("GET " + path + " HTTP/1.1\r\n" + strings.Join(lines, "") + "\r\n")
	return c.response()
}

func (c *rawClient) response() *http.Response {
	c.t.Helper()
	resp, err := readResponse(c)
	if err != nil {
		c.t.Fatal(err)
	}
	c.resp = resp
	return resp
}

// readResponse leaves the body, or the frames of a WebSocket, to be read.
func readResponse(r io.Reader) (*http.Response, error) {
	head, err := readHead(r)
	if err != nil {
		return nil, err
	}
	return http.ReadResponse(bufio.NewReader(io.MultiReader(strings.NewReader(head), r)), nil)
}

// readHead reads the head of a response.
func readHead(r io.Reader) (head string, err error) {
	for b := make([]byte, 1); !strings.HasSuffix(head, "\r\n\r\n"); head += string(b) {
		if _, err := io.ReadFull(r, b); err != nil {
			return head, err
		}
	}
	return head, nil
}

// connect shakes hands at /ws.
func connect(t *testing.T, s *httptest.Server, lines ...string) *rawClient {
	t.Helper()
	return dialRaw(t, s).shakeHands(lines...)
}

func (c *rawClient) shakeHands(lines ...string) *rawClient {
	c.t.Helper()
	resp := c.request("/ws", append([]string{handshakeLines}, lines...)...)
	if resp.StatusCode != 101 {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		c.t.Fatalf("handshake: %s %q", resp.Status, body)
	}
	return c
}

func (c *rawClient) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, s); err != nil {
		c.t.Fatal(err)
	}
}

// want reads the bytes expected.
func (c *rawClient) want(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(c, got)
	if string(got[:n]) != want {
		c.t.Fatalf("got %s, %v; want %s", shorten(got[:n]), err, shorten([]byte(want)))
	}
}

// frame receives a frame: its first byte and its payload.
func (c *rawClient) frame() (first byte, payload string) {
	c.t.Helper()
	f := c.Next()
	return f.First, f.Payload
}

func (c *rawClient) read(n int) []byte {
	c.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(c, b); err != nil {
		c.t.Fatal(err)
	}
	return b
}

func shorten(b []byte) string {
	if len(b) > 200 {
		return fmt.Sprintf("%q... (%d bytes)", b[:200], len(b))
	}
	return fmt.Sprintf("%q", b)
}

// serve starts a server around one middleware, until the end of the test.
func serve(t *testing.T, opts middleware.Options) *httptest.Server {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return serveHandler(t, middleware.New(opts).Handler(http.NotFoundHandler()))
}

func serveHandler(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// noise is n bytes that do not compress, the same every time.
func noise(n int) string {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// plainEcho answers with the message alone.
func plainEcho() middleware.MessageFunc { return middleware.Echo("") }

// syncBuffer is a buffer that several goroutines may use.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// textLogger logs without the time.
func textLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
}
