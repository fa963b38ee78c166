package main

import (
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware/wstest"
)

func TestMain(m *testing.M) { wstest.Main(m) }

func TestPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := wstest.NewServer(t, newHandler(time.Second)).Dial("/ws")
		began := time.Now()
		for i := range 3 {
			now := began.Add(time.Duration(i+1) * time.Second)
			c.Want(wstest.Text(now.Format(time.RFC3339)))
			if got := time.Now(); !got.Equal(now) {
				t.Errorf("received at %v, want %v", got, now)
			}
		}
	})
}

// The client's close frame ends the pushing, and is answered: Discard reads it.
func TestClientCloses(t *testing.T) {
	c := wstest.NewServer(t, newHandler(time.Hour)).Dial("/ws")
	c.Send(wstest.Close(1000, ""))
	c.Want(wstest.Close(1000, ""))
	c.WantEnd()
}

func TestMessageIsRefused(t *testing.T) {
	c := wstest.NewServer(t, newHandler(time.Hour)).Dial("/ws")
	c.Send(wstest.Text("hello"))
	c.Want(wstest.Close(1009, "message larger than 1 bytes"))
}
