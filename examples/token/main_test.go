package main

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
)

func TestMain(m *testing.M) { wstest.Main(m) }

var expired = wstest.Close(3000, "the credentials have expired")

// verify accepts two tokens, and one that has expired.
func verify(token string) (claims, bool) {
	after, ok := map[string]time.Duration{
		"good": time.Hour, "expiring": time.Second, "old": -time.Second,
	}[token]
	return claims{"ada", time.Now().Add(after)}, ok
}

func TestTokens(t *testing.T) {
	s := wstest.NewServer(t, newHandler(verify))
	for _, test := range []struct {
		name, header string
		want         int
	}{
		{"none", "X-Token: good", 401},
		{"program", "Authorization: Bearer good", 101},
		{"scheme in lower case", "Authorization: bearer good", 101},
		{"other scheme", "Authorization: Basic good", 401},
		{"no scheme", "Authorization: good", 401},
		{"unknown", "Authorization: Bearer bad", 401},
		{"expired", "Authorization: Bearer old", 401},
		{"empty", "Authorization: Bearer ", 401},
		{"browser", "Sec-WebSocket-Protocol: bearer, good", 101},
		{"no space", "Sec-WebSocket-Protocol: bearer,good", 101},
		{"browser, expired", "Sec-WebSocket-Protocol: bearer, old", 401},
		{"browser, no token", "Sec-WebSocket-Protocol: bearer", 401},
		{"browser, other protocol", "Sec-WebSocket-Protocol: good", 401},
	} {
		if got := s.Connect().Handshake("/ws", test.header).StatusCode; got != test.want {
			t.Errorf("%s: status %d, want %d", test.name, got, test.want)
		}
	}
}

// The answer to a browser names the protocol that it offered, not its token.
func TestBrowser(t *testing.T) {
	c := wstest.NewServer(t, newHandler(verify)).Connect()
	resp := c.Handshake("/ws", "Sec-WebSocket-Protocol: bearer, good")
	if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != "bearer" {
		t.Errorf("subprotocol %q, want bearer", got)
	}
	c.Send(wstest.Text("hi"))
	c.Want(wstest.Text("ada, you sent hi"))
}

// A client that leaves before the token expires gets the answer to its own close frame.
func TestClientCloses(t *testing.T) {
	c := wstest.NewServer(t, newHandler(verify)).Dial("/ws", "Authorization: Bearer good")
	c.Send(wstest.Close(1000, "bye"))
	c.Want(wstest.Close(1000, "bye"))
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := wstest.NewServer(t, newHandler(verify)).Dial("/ws", "Authorization: Bearer expiring")
		time.Sleep(time.Second - 1)
		c.Send(wstest.Text("hi"))
		c.Want(wstest.Text("ada, you sent hi"), expired)
	})
}

// What a client sends after its token has expired is not answered, nor anything else done with it.
func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var handled []string
		ws := middleware.New(middleware.Options{Expires: expiry, Handler: middleware.PerConn(
			func(ctx context.Context, c *middleware.Conn) (middleware.MessageFunc, error) {
				answer, err := greet(ctx, c)
				return func(w io.Writer, m *middleware.Message) error {
					handled = append(handled, string(m.Data))
					return answer(w, m)
				}, err
			})})
		s := wstest.NewServer(t, authenticate(verify, ws))
		c := s.Dial("/ws", "Authorization: Bearer expiring")
		c.Send(wstest.Text("hi"))
		c.Want(wstest.Text("ada, you sent hi"), expired)
		c.Send(wstest.Text("late"), expired)
		c.WantEnd()
		if want := []string{"hi"}; !slices.Equal(handled, want) {
			t.Errorf("handled %q, want %q", handled, want)
		}
	})
}
