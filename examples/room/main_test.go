package main

import (
	"strings"
	"testing"
	"testing/synctest"

	"example.com/wsecho/middleware/wstest"
)

func TestMain(m *testing.M) { wstest.Main(m) }

func (r *room) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.queues)
}

// enter returns a client that is in the room: it has heard itself.
func enter(s *wstest.Server) *wstest.Client {
	c := s.Dial("/ws")
	c.Send(wstest.Text("hello"))
	c.Want(wstest.Text("hello"))
	return c
}

func TestEverybodyHears(t *testing.T) {
	s := wstest.NewServer(t, newHandler(newRoom()))
	a, b := enter(s), enter(s)
	a.Want(wstest.Text("hello")) // of b
	binary := wstest.Frame{First: 0x82, Payload: "\xff"}
	a.Send(binary)
	a.Want(binary)
	b.Want(binary)
	b.Send(wstest.Text("bye"))
	a.Want(wstest.Text("bye"))
	b.Want(wstest.Text("bye"))
}

func TestLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		s := wstest.NewServer(t, newHandler(r))
		a, b := enter(s), enter(s)
		a.Want(wstest.Text("hello"))
		b.Send(wstest.Close(1000, "bye"))
		b.Want(wstest.Close(1000, "bye"))
		a.Send(wstest.Text("alone?"))
		a.Want(wstest.Text("alone?"))
		synctest.Wait()
		if got := r.size(); got != 1 {
			t.Errorf("%d in the room after b has left", got)
		}
	})
}

// A member that does not read is dropped, and the others never wait for it.
func TestSlowReader(t *testing.T) {
	r := newRoom()
	s := wstest.NewServer(t, newHandler(r))
	slow, fast := enter(s), enter(s)
	text := wstest.Text(strings.Repeat("x", 4096))
	sent := 0
	for ; r.size() == 2; sent++ {
		if sent == 1<<16 {
			t.Fatalf("nobody dropped after %d messages", sent)
		}
		fast.Send(text)
		fast.Want(text)
	}
	slow.Send(wstest.Text("am I still here?")) // It is not.
	slow.Want(wstest.Text("hello"))
	f := slow.Next()
	for ; f == text; f = slow.Next() {
	}
	if want := wstest.Close(1008, "too slow"); f != want {
		t.Errorf("received %v, want %v", f, want)
	}
	fast.Send(wstest.Text("alone"))
	fast.Want(wstest.Text("alone"))
}
