package interop_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"example.com/wsecho/middleware"
	"github.com/coder/websocket"
)

// coderDial connects with coder/websocket. The context ends after timeout.
func coderDial(
	t *testing.T, url string, opts *websocket.DialOptions,
) (context.Context, *websocket.Conn, *http.Response) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	t.Cleanup(cancel)
	c, resp, err := websocket.Dial(ctx, url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	c.SetReadLimit(2 << 20)
	return ctx, c, resp
}

func TestCoder(t *testing.T) {
	for _, mode := range []struct {
		name       string
		server     bool // Options.Compression
		mode       websocket.CompressionMode
		extensions string // the server's answer
	}{
		{"no compression", true, websocket.CompressionDisabled, ""},
		{"context takeover", true, websocket.CompressionContextTakeover, "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
		{"no context takeover", true, websocket.CompressionNoContextTakeover, "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
		{"compression declined", false, websocket.CompressionContextTakeover, ""},
	} {
		t.Run(mode.name, func(t *testing.T) {
			s := serve(t, echo(middleware.Options{Compression: mode.server}).Handler(app()))
			ctx, c, resp := coderDial(t, wsURL(s), &websocket.DialOptions{CompressionMode: mode.mode})
			if got := resp.Header.Get("Sec-WebSocket-Extensions"); got != mode.extensions {
				t.Errorf("Sec-WebSocket-Extensions: %q, want %q", got, mode.extensions)
			}
			wantCoderEchoes(ctx, t, c)
			if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

func wantCoderEchoes(ctx context.Context, t *testing.T, c *websocket.Conn) {
	t.Helper()
	for _, test := range []struct {
		name string
		kind websocket.MessageType
		in   string
	}{
		{"text", websocket.MessageText, "Hello from the client"},
		{"Unicode", websocket.MessageText, "grüße, 世界 🌍"},
		{"empty", websocket.MessageText, ""},
		{"binary", websocket.MessageBinary, "\x00\xff\xfe"},
		{"compressible", websocket.MessageText, strings.Repeat("Hello from the client", 1000)},
		{"the same again", websocket.MessageText, strings.Repeat("Hello from the client", 1000)},
		{"1 MiB", websocket.MessageBinary, strings.Repeat("\xa5", 1<<20)},
	} {
		if err := c.Write(ctx, test.kind, []byte(test.in)); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		kind, p, err := c.Read(ctx)
		want := "Hello from the server! You sent: " + test.in
		if err != nil || kind != test.kind || string(p) != want {
			t.Fatalf("%s: got %v %.100q (%d bytes), %v", test.name, kind, p, len(p), err)
		}
	}
}

// Close waits for the server's close frame and returns an error if its code differs.
func TestCoderClose(t *testing.T) {
	s := serve(t, echo(middleware.Options{}).Handler(app()))
	for _, test := range []struct {
		code   websocket.StatusCode
		reason string
	}{
		{1000, ""},
		{1000, "done"},
		{1001, "going away"},
		{3000, "registered"},
		{4321, "my own reason, grüße"},
	} {
		_, c, _ := coderDial(t, wsURL(s), nil)
		if err := c.Close(test.code, test.reason); err != nil {
			t.Errorf("Close(%d, %q): %v", test.code, test.reason, err)
		}
	}
}

func TestCoderPing(t *testing.T) {
	s := serve(t, echo(middleware.Options{}).Handler(app()))
	ctx, c, _ := coderDial(t, wsURL(s), nil)
	ctx = c.CloseRead(ctx)
	if err := c.Ping(ctx); err != nil {
		t.Errorf("Ping: %v", err)
	}
}

func TestCoderSubprotocol(t *testing.T) {
	for _, test := range []struct {
		name              string
		supported, offers []string
		want              string
	}{
		{"none configured", nil, []string{"chat.v2", "chat.v1"}, "chat.v2"},
		{"the server's choice", []string{"chat.v1", "chat.v2"}, []string{"chat.v2", "chat.v1"}, "chat.v1"},
		{"none in common", []string{"chat.v3"}, []string{"chat.v2"}, ""},
		{"none offered", []string{"chat.v3"}, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, echo(middleware.Options{Subprotocols: test.supported}).Handler(app()))
			_, c, _ := coderDial(t, wsURL(s), &websocket.DialOptions{Subprotocols: test.offers})
			if got := c.Subprotocol(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCoderShutdown(t *testing.T) {
	ws := echo(middleware.Options{})
	s := serve(t, ws.Handler(app()))
	ctx, c, _ := coderDial(t, wsURL(s), nil)
	ended := make(chan error, 1)
	go func() { ended <- ws.Shutdown(ctx) }()
	_, p, err := c.Read(ctx)
	if got := websocket.CloseStatus(err); got != websocket.StatusGoingAway {
		t.Errorf("got %q, %v; want close 1001", p, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}
