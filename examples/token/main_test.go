package main

import (
	"net/http"
	"testing"
	"time"

	"example.com/wsecho/examples/internal/wstest"
	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
)

func TestMain(m *testing.M) { wstest.Main(m) }

// serve serves with three tokens.
func serve(t *testing.T) (url string) {
	t.Helper()
	return wstest.Serve(t, newHandler(func(token string) (claims, bool) {
		switch token {
		case "good":
			return claims{"ada", time.Now().Add(time.Hour)}, true
		case "expiring":
			return claims{"ada", time.Now().Add(200 * time.Millisecond)}, true
		case "old":
			return claims{"ada", time.Now().Add(-time.Second)}, true
		}
		return claims{}, false
	})) + "/ws"
}

func TestTokens(t *testing.T) {
	url := serve(t)
	for _, test := range []struct {
		name, key, value string
		want             int
	}{
		{"none", "X-Token", "good", 401},
		{"program", "Authorization", "Bearer good", 101},
		{"scheme in lower case", "Authorization", "bearer good", 101},
		{"other scheme", "Authorization", "Basic good", 401},
		{"no scheme", "Authorization", "good", 401},
		{"unknown", "Authorization", "Bearer bad", 401},
		{"expired", "Authorization", "Bearer old", 401},
		{"empty", "Authorization", "Bearer ", 401},
		{"browser", "Sec-WebSocket-Protocol", "bearer, good", 101},
		{"no space", "Sec-WebSocket-Protocol", "bearer,good", 101},
		{"browser, expired", "Sec-WebSocket-Protocol", "bearer, old", 401},
		{"browser, no token", "Sec-WebSocket-Protocol", "bearer", 401},
		{"browser, other protocol", "Sec-WebSocket-Protocol", "good", 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			wstest.WantStatus(t, url, http.Header{test.key: {test.value}}, test.want)
		})
	}
}

// The answer to a browser names the protocol that it offered, not its token.
func TestBrowser(t *testing.T) {
	url := serve(t)
	c := wstest.Dial(t, url, http.Header{"Sec-WebSocket-Protocol": {"bearer, good"}})
	if got := c.Subprotocol(); got != "bearer" {
		t.Errorf("subprotocol %q, want bearer", got)
	}
	c.Send("hi")
	c.Want("ada, you sent hi")
}

func TestExpiry(t *testing.T) {
	c := wstest.Dial(t, serve(t), http.Header{"Authorization": {"Bearer expiring"}})
	c.WantClose(3000, "the credentials have expired")
}

// A client that leaves before the token expires gets the answer to its own close frame.
func TestClientCloses(t *testing.T) {
	url := serve(t)
	c := wstest.Dial(t, url, http.Header{"Authorization": {"Bearer good"}})
	closing := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "bye")
	if err := c.WriteMessage(websocket.CloseMessage, closing); err != nil {
		t.Fatal(err)
	}
	c.WantClose(websocket.CloseNormalClosure, "bye")
}

// What a client sends after its token has expired is not answered, nor anything else done with it.
func TestLate(t *testing.T) {
	var messages wstest.Messages
	ws := middleware.New(middleware.Options{Handler: messages.Of(greet), Expires: expiry})
	expiring := func(string) (claims, bool) { return claims{"ada", time.Now().Add(time.Second)}, true }
	c := wstest.Dial(t, wstest.Serve(t, authenticate(expiring, ws)), nil)
	c.Send("hi")
	c.Want("ada, you sent hi")
	c.SendWhenClosed("late")
	c.WantClose(3000, "the credentials have expired")
	messages.Want(t, "hi")
}
