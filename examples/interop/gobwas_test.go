package interop_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
	"github.com/gobwas/ws/wsutil"
)

// gobwasConn is a connection with the bytes that the dialer has buffered.
type gobwasConn struct {
	io.Reader
	net.Conn
}

func (c gobwasConn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

func gobwasDial(t *testing.T, url string, d ws.Dialer) (gobwasConn, ws.Handshake) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	conn, buffered, agreed, err := d.Dial(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(timeout))
	if buffered != nil {
		return gobwasConn{buffered, conn}, agreed
	}
	return gobwasConn{conn, conn}, agreed
}

func sendFrames(t *testing.T, w io.Writer, frames ...ws.Frame) {
	t.Helper()
	for _, f := range frames {
		if err := ws.WriteFrame(w, ws.MaskFrame(f)); err != nil {
			t.Fatal(err)
		}
	}
}

// readFrame reads a frame of at most 64 KiB.
func readFrame(t *testing.T, r io.Reader) ws.Frame {
	t.Helper()
	h, err := ws.ReadHeader(r)
	if err != nil || h.Length > 64<<10 {
		t.Fatalf("frame header %+v, %v", h, err)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(r, payload); err != nil {
		t.Fatal(err)
	}
	return ws.Frame{Header: h, Payload: payload}
}

// wantFrame reads one frame, which is a whole message.
func wantFrame(t *testing.T, r io.Reader, opcode ws.OpCode, payload string) {
	t.Helper()
	f := readFrame(t, r)
	if !f.Header.Fin || f.Header.Rsv != 0 || f.Header.Masked || f.Header.OpCode != opcode || string(f.Payload) != payload {
		t.Fatalf("got %+v %.100q, want the final frame of opcode %d %.100q", f.Header, f.Payload, opcode, payload)
	}
}

func frame(op ws.OpCode, fin bool, payload string) ws.Frame {
	return ws.NewFrame(op, fin, []byte(payload))
}

func TestGobwas(t *testing.T) {
	s := serve(t, echo(middleware.Options{}).Handler(app()))
	c, _ := gobwasDial(t, wsURL(s), ws.Dialer{})
	const greeting = "Hello from the server! You sent: "
	for _, test := range []struct {
		name string
		send []ws.Frame
		want []ws.Frame
	}{
		{"text", []ws.Frame{frame(ws.OpText, true, "Hello from the client")}, []ws.Frame{frame(ws.OpText, true, greeting+"Hello from the client")}},
		{"empty text", []ws.Frame{frame(ws.OpText, true, "")}, []ws.Frame{frame(ws.OpText, true, greeting)}},
		{"binary", []ws.Frame{frame(ws.OpBinary, true, "\x00\xff")}, []ws.Frame{frame(ws.OpBinary, true, greeting+"\x00\xff")}},
		{"fragments", []ws.Frame{frame(ws.OpText, false, "Hello "), frame(ws.OpContinuation, false, "from "), frame(ws.OpContinuation, true, "the client")}, []ws.Frame{frame(ws.OpText, true, greeting+"Hello from the client")}},
		{"a rune in two fragments", []ws.Frame{frame(ws.OpText, false, "gr\xc3"), frame(ws.OpContinuation, true, "\xbc\xc3\x9fe")}, []ws.Frame{frame(ws.OpText, true, greeting+"grüße")}},
		{"an empty last fragment", []ws.Frame{frame(ws.OpBinary, false, "\xff"), frame(ws.OpContinuation, true, "")}, []ws.Frame{frame(ws.OpBinary, true, greeting+"\xff")}},
		{"a ping between fragments", []ws.Frame{frame(ws.OpText, false, "a"), frame(ws.OpPing, true, "there?"), frame(ws.OpContinuation, true, "b")}, []ws.Frame{frame(ws.OpPong, true, "there?"), frame(ws.OpText, true, greeting+"ab")}},
		{"a pong nobody asked for", []ws.Frame{frame(ws.OpPong, true, "x"), frame(ws.OpText, true, "y")}, []ws.Frame{frame(ws.OpText, true, greeting+"y")}},
		{"two messages at once", []ws.Frame{frame(ws.OpText, true, "1"), frame(ws.OpText, true, "2")}, []ws.Frame{frame(ws.OpText, true, greeting+"1"), frame(ws.OpText, true, greeting+"2")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			sendFrames(t, c, test.send...)
			for _, f := range test.want {
				wantFrame(t, c, f.Header.OpCode, string(f.Payload))
			}
		})
	}
}

func TestGobwasClose(t *testing.T) {
	s := serve(t, echo(middleware.Options{}).Handler(app()))
	for _, test := range []struct {
		name string
		send ws.Frame
		want string // payload of the server's close frame
	}{
		{"1000", frame(ws.OpClose, true, "\x03\xe8"), "\x03\xe8"},
		{"4321 with a reason", frame(ws.OpClose, true, "\x10\xe1my own reason"), "\x10\xe1my own reason"},
		{"no code", frame(ws.OpClose, true, ""), ""},
		{"1006, which must not be sent", frame(ws.OpClose, true, "\x03\xee"), "\x03\xeaclose code 1006"},
		{"half a code", frame(ws.OpClose, true, "\x03"), "\x03\xeaclose frame with half a code"},
		{"text that is not UTF-8", frame(ws.OpText, true, "\xff"), "\x03\xeftext is not UTF-8"},
		{"continuation of nothing", frame(ws.OpContinuation, true, "x"), "\x03\xeacontinuation of no message"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, _ := gobwasDial(t, wsURL(s), ws.Dialer{})
			sendFrames(t, c, test.send)
			wantFrame(t, c, ws.OpClose, test.want)
			if _, err := c.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("after the close frame: %v, want EOF", err)
			}
		})
	}
}

// Package wsutil is what most programs with gobwas/ws use.
func TestGobwasUtil(t *testing.T) {
	s := serve(t, echo(middleware.Options{}).Handler(app()))
	c, agreed := gobwasDial(t, wsURL(s), ws.Dialer{Protocols: []string{"chat.v2", "chat.v1"}})
	if agreed.Protocol != "chat.v2" {
		t.Errorf("subprotocol %q, want chat.v2", agreed.Protocol)
	}
	if err := wsutil.WriteClientText(c, []byte("Hello from the client")); err != nil {
		t.Fatal(err)
	}
	p, err := wsutil.ReadServerText(c)
	if string(p) != "Hello from the server! You sent: Hello from the client" {
		t.Errorf("got %q, %v", p, err)
	}
}

// A reply that is short or exceeds the negotiated window is sent uncompressed.
func TestGobwasDeflate(t *testing.T) {
	s := serve(t, echo(middleware.Options{Compression: true}).Handler(app()))
	offer := wsflate.Parameters{ServerMaxWindowBits: 10, ClientNoContextTakeover: true}
	d := ws.Dialer{}
	d.Extensions = append(d.Extensions, offer.Option())
	c, agreed := gobwasDial(t, wsURL(s), d)
	var got wsflate.Parameters
	if len(agreed.Extensions) != 1 || got.Parse(agreed.Extensions[0]) != nil {
		t.Fatalf("extensions %q", agreed.Extensions)
	}
	want := wsflate.Parameters{
		ServerMaxWindowBits: 10, ClientNoContextTakeover: true, ServerNoContextTakeover: true,
	}
	if got != want {
		t.Errorf("agreed on %+v, want %+v", got, want)
	}
	for _, test := range []struct {
		size       int
		compressed bool
	}{{20, false}, {800, true}, {800, true}, {4000, false}} {
		in := strings.Repeat("x", test.size)
		f, err := wsflate.CompressFrame(frame(ws.OpText, true, in))
		if err != nil {
			t.Fatal(err)
		}
		sendFrames(t, c, f)
		wantDeflated(t, c, test.compressed, "Hello from the server! You sent: "+in)
	}
}

func wantDeflated(t *testing.T, r io.Reader, compressed bool, want string) {
	t.Helper()
	f := readFrame(t, r)
	if got := f.Header.Rsv1(); got != compressed {
		t.Errorf("%d bytes: compressed: %v, want %v", len(want), got, compressed)
	}
	if f.Header.Rsv1() {
		var err error
		if f, err = wsflate.DecompressFrame(f); err != nil {
			t.Fatal(err)
		}
	}
	if string(f.Payload) != want {
		t.Errorf("got %.100q, want %.100q", f.Payload, want)
	}
}
