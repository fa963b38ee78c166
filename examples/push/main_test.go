package main

import (
	"testing"
	"time"

	"example.com/wsecho/examples/internal/wstest"
	"github.com/gorilla/websocket"
)

func TestMain(m *testing.M) { wstest.Main(m) }

func TestPush(t *testing.T) {
	c := wstest.Dial(t, wstest.Serve(t, newHandler(time.Millisecond))+"/ws", nil)
	for range 3 {
		if text := c.Receive(); !isTime(text) {
			t.Errorf("received %q, want a time", text)
		}
	}
}

func isTime(text string) bool {
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}

// The client's close frame ends the pushing, and is answered: Discard reads it.
func TestClientCloses(t *testing.T) {
	c := wstest.Dial(t, wstest.Serve(t, newHandler(time.Hour))+"/ws", nil)
	closing := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := c.WriteMessage(websocket.CloseMessage, closing); err != nil {
		t.Fatal(err)
	}
	c.WantClose(websocket.CloseNormalClosure, "")
}

func TestMessageIsRefused(t *testing.T) {
	c := wstest.Dial(t, wstest.Serve(t, newHandler(time.Hour))+"/ws", nil)
	c.Send("hello")
	c.WantClose(websocket.CloseMessageTooBig, "message larger than 1 bytes")
}
