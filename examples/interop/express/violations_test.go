package express_test

import (
	"io"
	"net/http"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
	"github.com/gorilla/websocket"
)

// Clients that violate the protocol. The five steps have no error handler for connections, and an
// unhandled error ends the Node process, which cuts off all other clients.
func testViolations(t *testing.T, dir string, app *server) {
	for _, test := range []struct {
		name, frame string // the masking key, if any, is zero
		express     string // the error that ends the process
		wsecho      string // the close frame
	}{
		{"no mask", "\x81\x01a", "WS_ERR_EXPECTED_MASK", "\x88\x10\x03\xeaunmasked frame"},
		{"no UTF-8", "\x81\x81\x00\x00\x00\x00\xff", "WS_ERR_INVALID_UTF8", "\x88\x13\x03\xeftext is not UTF-8"},
		{"reserved bit", "\xc1\x81\x00\x00\x00\x00a", "WS_ERR_UNEXPECTED_RSV_1", "\x88\x17\x03\xeareserved bit RSV1 set"},
		{"reserved opcode", "\x83\x80\x00\x00\x00\x00", "WS_ERR_INVALID_OPCODE", "\x88\x13\x03\xeareserved opcode 3"},
		{"close with 1005", "\x88\x82\x00\x00\x00\x00\x03\xed", "WS_ERR_INVALID_CLOSE_CODE", "\x88\x11\x03\xeaclose code 1005"},
		{"101 MiB announced", "\x82\xff\x00\x00\x00\x00\x06\x50\x00\x00\x00\x00\x00\x00", "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", "\x88\x23\x03\xf1message larger than 1048576 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Run("express", func(t *testing.T) { wantCrash(t, dir, test.frame, test.express) })
			t.Run("wsecho", func(t *testing.T) { wantClosed(t, app, test.frame, test.wsecho) })
		})
	}
}

func wantCrash(t *testing.T, dir, frame, code string) {
	log := program.NewLog()
	s := startExpress(t, dir, log)
	bystander := dial(t, s)
	sendRaw(t, s, frame)
	if got, want := receive(t, bystander), "close 1006 unexpected EOF"; got != want {
		t.Errorf("another client: got %s, want %s", got, want)
	}
	if line, ok := s.Line(); ok {
		t.Errorf("the process printed %q, want EOF", line)
	}
	log.Want(t, "code: '"+code+"'")
}

func wantClosed(t *testing.T, s *server, frame, want string) {
	bystander := dial(t, s)
	c := sendRaw(t, s, frame)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.r, got); err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if err := bystander.WriteMessage(websocket.TextMessage, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	answer, wantAnswer := receive(t, bystander), `text "Hello from the server! You sent: still here"`
	if answer != wantAnswer {
		t.Errorf("another client: got %s, want %s", answer, wantAnswer)
	}
}

// sendRaw sends the bytes of a frame on a new WebSocket.
func sendRaw(t *testing.T, s *server, frame string) rawConn {
	t.Helper()
	c := dialRaw(t, s)
	resp := roundTrip(t, c, "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp.Status)
	}
	if _, err := io.WriteString(c, frame); err != nil {
		t.Fatal(err)
	}
	return c
}
