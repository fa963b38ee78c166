package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/wsecho/examples/internal/wstest"
	"github.com/gorilla/websocket"
)

func TestMain(m *testing.M) { wstest.Main(m) }

func TestEndpoints(t *testing.T) {
	url := wstest.Serve(t, newHandler())
	echo := wstest.Dial(t, url+"/echo", nil)
	upper := wstest.Dial(t, url+"/upper", nil)
	echo.Send("grüße")
	upper.Send("grüße")
	echo.Want("Hello from the server! You sent: grüße")
	upper.Want("GRÜßE")
	wstest.WantStatus(t, url+"/other", nil, http.StatusNotFound)
}

// Each endpoint has its own limits.
func TestLimits(t *testing.T) {
	url := wstest.Serve(t, newHandler())
	long := strings.Repeat("x", 1025)
	echo := wstest.Dial(t, url+"/echo", nil)
	echo.Send(long)
	echo.Want("Hello from the server! You sent: " + long)
	upper := wstest.Dial(t, url+"/upper", nil)
	upper.Send(long)
	upper.WantClose(websocket.CloseMessageTooBig, "message larger than 1024 bytes")
}

func TestBinaryIsRefused(t *testing.T) {
	c := wstest.Dial(t, wstest.Serve(t, newHandler())+"/upper", nil)
	if err := c.WriteMessage(websocket.BinaryMessage, []byte("x")); err != nil {
		t.Fatal(err)
	}
	c.WantClose(websocket.CloseUnsupportedData, "send text")
}

func TestPage(t *testing.T) {
	client := http.Client{Timeout: wstest.Timeout}
	resp, err := client.Get(wstest.Serve(t, newHandler()) + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "an ordinary page\n" {
		t.Errorf("page: %d %q, %v", resp.StatusCode, body, err)
	}
}
