package main

import (
	"errors"
	"strings"
	"testing"

	"example.com/wsecho/examples/internal/wstest"
	"github.com/gorilla/websocket"
)

func TestMain(m *testing.M) { wstest.Main(m) }

func (r *room) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.queues)
}

// enter returns a client that is in the room: it has heard itself.
func enter(t *testing.T, url string) *wstest.Client {
	t.Helper()
	c := wstest.Dial(t, url, nil)
	c.Send("hello")
	c.Want("hello")
	return c
}

func TestEverybodyHears(t *testing.T) {
	url := wstest.Serve(t, newHandler(newRoom())) + "/ws"
	a := enter(t, url)
	b := enter(t, url)
	a.Want("hello") // of b
	if err := a.WriteMessage(websocket.BinaryMessage, []byte("\xff")); err != nil {
		t.Fatal(err)
	}
	a.Want("\xff")
	b.Want("\xff")
	b.Send("bye")
	a.Want("bye")
	b.Want("bye")
}

func TestLeave(t *testing.T) {
	r := newRoom()
	url := wstest.Serve(t, newHandler(r)) + "/ws"
	a, b := enter(t, url), enter(t, url)
	a.Want("hello")
	closing := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "bye")
	if err := b.WriteMessage(websocket.CloseMessage, closing); err != nil {
		t.Fatal(err)
	}
	b.WantClose(websocket.CloseNormalClosure, "bye")
	a.Send("alone?")
	a.Want("alone?")
	wstest.Until(t, "b has left", func() bool { return r.size() == 1 })
}

// A member that does not read is dropped, and the others never wait for it.
func TestSlowReader(t *testing.T) {
	r := newRoom()
	url := wstest.Serve(t, newHandler(r)) + "/ws"
	slow := enter(t, url)
	fast := enter(t, url)
	text := strings.Repeat("x", 4096)
	sent := 0
	for ; r.size() == 2; sent++ {
		if sent == 1<<16 {
			t.Fatalf("nobody dropped after %d messages", sent)
		}
		fast.Send(text)
		fast.Want(text)
	}
	slow.Send("am I still here?") // It is not.
	slow.Want("hello")
	var closed *websocket.CloseError
	for {
		_, _, err := slow.ReadMessage()
		if errors.As(err, &closed) && closed.Code == websocket.ClosePolicyViolation {
			break
		}
		if err != nil {
			t.Fatalf("received %v, want close 1008", err)
		}
	}
	fast.Send("alone")
	fast.Want("alone")
}
