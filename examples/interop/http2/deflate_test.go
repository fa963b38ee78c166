package http2_test

import (
	"compress/flate"
	"io"
	"strings"
	"testing"

	"example.com/wsecho/middleware"
)

// Messages are compressed if that was agreed on.
func TestCompression(t *testing.T) {
	const helloDeflated = "\xf2\x48\xcd\xc9\xc9\x07\x00" // "Hello" (RFC 7692 §7.2.3.1)
	c := dial(t, serve(t, echo(middleware.Options{Compression: true})))
	ws := c.connect("sec-websocket-extensions= permessage-deflate; client_max_window_bits")
	ws.send(frame(0xc1, helloDeflated) + text(strings.Repeat("x", 256)) + bye)
	ws.want(reply(0x81, "Hello"))
	head := make([]byte, 2)
	if _, err := io.ReadFull(ws, head); err != nil || head[0] != 0xc1 || head[1] > 125 {
		t.Fatalf("got % x, %v; want a compressed text", head, err)
	}
	payload := make([]byte, head[1])
	if _, err := io.ReadFull(ws, payload); err != nil {
		t.Fatal(err)
	}
	tail := "\x00\x00\xff\xff\x01\x00\x00\xff\xff" // of a block, and a final one
	inflated, err := io.ReadAll(flate.NewReader(strings.NewReader(string(payload) + tail)))
	if string(inflated) != strings.Repeat("x", 256) || err != nil {
		t.Errorf("got %q, %v", inflated, err)
	}
	ws.want(byeBack)
	ws.wantEnd()
}
