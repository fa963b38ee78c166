package main

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware/wstest"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const timeout = 10 * time.Second

func TestMain(m *testing.M) { wstest.Main(m) }

// cluster runs a NATS server of one and returns its URL.
func cluster(t *testing.T) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	stop(t, s)
	if !s.ReadyForConnections(timeout) {
		t.Fatal("NATS is not ready")
	}
	return s.ClientURL()
}

// stop stops the NATS server at the end of the test.
func stop(t *testing.T, s *server.Server) {
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
}

// process serves the room as a process of its own would.
func process(t *testing.T, natsURL string, options ...nats.Option) (*wstest.Server, *nats.Conn) {
	t.Helper()
	nc, err := nats.Connect(natsURL, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return wstest.NewServer(t, newHandler(nc)), nc
}

var hello = wstest.Text("hello")

// enter returns a client that is in the room: it has heard itself.
func enter(s *wstest.Server) *wstest.Client {
	c := s.Dial("/ws")
	c.Send(hello)
	c.Want(hello)
	return c
}

func TestTwoProcesses(t *testing.T) {
	at := cluster(t)
	sA, _ := process(t, at)
	sB, _ := process(t, at)
	a := enter(sA)
	b := enter(sB)
	a.Want(hello) // of b
	a.Send(wstest.Text("hi b"))
	b.Want(wstest.Text("hi b"))
	a.Want(wstest.Text("hi b"))
}

func TestEmbedded(t *testing.T) {
	s, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	room, _ := process(t, "", nats.InProcessServer(s))
	a, b := enter(room), enter(room)
	a.Want(hello) // of b
	b.Send(wstest.Text("hi a"))
	a.Want(wstest.Text("hi a"))
	if at := s.Addr(); at != nil {
		t.Errorf("the server listens on %v", at)
	}
}

func TestBinaryIsRefused(t *testing.T) {
	s, _ := process(t, cluster(t))
	c := enter(s)
	c.Send(wstest.Frame{First: 0x82, Payload: "\xff"})
	c.Want(wstest.Close(1003, "send text"))
}

// What is not text is not for the members, and does not cost them their connections.
func TestOthersPublish(t *testing.T) {
	s, nc := process(t, cluster(t))
	c := enter(s)
	for _, payload := range []string{"\xff", "text"} {
		if err := nc.Publish(subject, []byte(payload)); err != nil {
			t.Fatal(err)
		}
	}
	c.Want(wstest.Text("text"))
}

// A member that leaves gives its subscription back.
func TestLeave(t *testing.T) {
	s, nc := process(t, cluster(t))
	c := enter(s)
	if got := nc.NumSubscriptions(); got != 1 {
		t.Errorf("%d subscriptions, want 1", got)
	}
	c.Send(wstest.Close(1000, "bye"))
	c.Want(wstest.Close(1000, "bye"))
	for deadline := time.Now().Add(timeout); nc.NumSubscriptions() > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("still subscribed")
		}
	}
}

// A member that does not read is dropped, and the others never wait for it.
func TestSlowReader(t *testing.T) {
	at := cluster(t)
	leftOut := make(chan struct{}, 1)
	slowServer, _ := process(t, at, nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {
		select {
		case leftOut <- struct{}{}:
		default:
		}
	}))
	fastServer, _ := process(t, at)
	slow, fast := enter(slowServer), enter(fastServer)
	slow.Want(hello)
	text := wstest.Text(strings.Repeat("x", 4096))
	for sent := 0; len(leftOut) == 0; sent++ {
		if sent == 1<<16 {
			t.Fatalf("nothing left out of %d messages", sent)
		}
		fast.Send(text)
		fast.Want(text)
	}
	f := slow.Next()
	for ; f == text; f = slow.Next() {
	}
	if want := wstest.Close(1008, "too slow"); f != want {
		t.Errorf("received %v, want %v", f, want)
	}
}
