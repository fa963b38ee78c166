package main

import (
	"errors"
	"strings"
	"testing"

	"example.com/wsecho/examples/internal/wstest"
	"github.com/gorilla/websocket"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

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
	if !s.ReadyForConnections(wstest.Timeout) {
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
func process(t *testing.T, natsURL string, options ...nats.Option) (url string, nc *nats.Conn) {
	t.Helper()
	nc, err := nats.Connect(natsURL, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return wstest.Serve(t, newHandler(nc)) + "/ws", nc
}

// enter returns a client that is in the room: it has heard itself.
func enter(t *testing.T, url string) *wstest.Client {
	t.Helper()
	c := wstest.Dial(t, url, nil)
	c.Send("hello")
	c.Want("hello")
	return c
}

func TestTwoProcesses(t *testing.T) {
	at := cluster(t)
	urlA, _ := process(t, at)
	urlB, _ := process(t, at)
	a := enter(t, urlA)
	b := enter(t, urlB)
	a.Want("hello") // of b
	a.Send("hi b")
	b.Want("hi b")
	a.Want("hi b")
}

func TestEmbedded(t *testing.T) {
	s, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	url, _ := process(t, "", nats.InProcessServer(s))
	a, b := enter(t, url), enter(t, url)
	a.Want("hello") // of b
	b.Send("hi a")
	a.Want("hi a")
	if at := s.Addr(); at != nil {
		t.Errorf("the server listens on %v", at)
	}
}

func TestBinaryIsRefused(t *testing.T) {
	url, _ := process(t, cluster(t))
	c := enter(t, url)
	if err := c.WriteMessage(websocket.BinaryMessage, []byte("\xff")); err != nil {
		t.Fatal(err)
	}
	c.WantClose(websocket.CloseUnsupportedData, "send text")
}

// What is not text is not for the members, and does not cost them their connections.
func TestOthersPublish(t *testing.T) {
	url, nc := process(t, cluster(t))
	c := enter(t, url)
	for _, payload := range []string{"\xff", "text"} {
		if err := nc.Publish(subject, []byte(payload)); err != nil {
			t.Fatal(err)
		}
	}
	c.Want("text")
}

// A member that leaves gives its subscription back.
func TestLeave(t *testing.T) {
	url, nc := process(t, cluster(t))
	c := enter(t, url)
	if got := nc.NumSubscriptions(); got != 1 {
		t.Errorf("%d subscriptions, want 1", got)
	}
	closing := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "bye")
	if err := c.WriteMessage(websocket.CloseMessage, closing); err != nil {
		t.Fatal(err)
	}
	c.WantClose(websocket.CloseNormalClosure, "bye")
	wstest.Until(t, "unsubscribed", func() bool { return nc.NumSubscriptions() == 0 })
}

// A member that does not read is dropped, and the others never wait for it.
func TestSlowReader(t *testing.T) {
	at := cluster(t)
	leftOut := make(chan struct{}, 1)
	slowURL, _ := process(t, at, nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {
		select {
		case leftOut <- struct{}{}:
		default:
		}
	}))
	fastURL, _ := process(t, at)
	slow, fast := enter(t, slowURL), enter(t, fastURL)
	slow.Want("hello")
	text := strings.Repeat("x", 4096)
	for sent := 0; len(leftOut) == 0; sent++ {
		if sent == 1<<16 {
			t.Fatalf("nothing left out of %d messages", sent)
		}
		fast.Send(text)
		fast.Want(text)
	}
	for {
		_, _, err := slow.ReadMessage()
		var closed *websocket.CloseError
		switch {
		case errors.As(err, &closed) && closed.Code == websocket.ClosePolicyViolation:
			return
		case err != nil:
			t.Fatalf("received %v, want close 1008", err)
		}
	}
}
