package main

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
	"github.com/gorilla/websocket"
)

// handshake sends a handshake that is to be refused.
func handshake(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: timeout}
	c, resp, err := dialer.Dial(url, nil)
	if err == nil {
		c.Close()
		t.Fatalf("dial %s: a WebSocket, want it refused", url)
	}
	if resp == nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// inspectWith connects to the inspector and returns the handshake that it reports.
func inspectWith(
	t *testing.T, url string, dialer websocket.Dialer, header http.Header,
) (*websocket.Conn, handshakeReport) {
	t.Helper()
	dialer.HandshakeTimeout = timeout
	c, resp, err := dialer.Dial(url, header)
	if err != nil {
		t.Fatalf("dial %s: %v (%v)", url, err, resp)
	}
	t.Cleanup(func() { c.Close() })
	c.SetReadDeadline(time.Now().Add(timeout))
	var h handshakeReport
	readJSON(t, c, &h)
	if h.Event != "handshake" {
		t.Fatalf("first event %q, want handshake", h.Event)
	}
	return c, h
}

func inspectURL(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	c, _ := inspectWith(t, url, websocket.Dialer{}, nil)
	return c
}

func readJSON(t *testing.T, c *websocket.Conn, v any) (text []byte) {
	t.Helper()
	kind, text, err := c.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil || kind != websocket.TextMessage {
		t.Fatalf("message of type %d, %.100q: %v", kind, text, err)
	}
	return text
}

func send(t *testing.T, c *websocket.Conn, kind int, message string) {
	t.Helper()
	if err := c.WriteMessage(kind, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

// wantReport reads a report of a message or a push.
func wantReport(t *testing.T, c *websocket.Conn, event string, number int) report {
	t.Helper()
	var r report
	readJSON(t, c, &r)
	if r.Event != event || r.Number != number {
		t.Errorf("report %+v, want %s %d", r, event, number)
	}
	return r
}

func TestInspectHandshake(t *testing.T) {
	a := start(t, "-compress")
	c, got := inspectWith(t, a.ws+"/inspect?a=1&b=%20&token=x",
		websocket.Dialer{Subprotocols: []string{"chat", "v2"}, EnableCompression: true},
		http.Header{
			"Authorization": {"Basic c2VjcmV0"},
			"User-Agent":    {"test"},
			"X-Both":        {"one", "two"},
			"Host":          {"app.example"},
		})
	key := got.Request.Headers.Get("Sec-Websocket-Key")
	if len(key) != 24 {
		t.Errorf("Sec-WebSocket-Key %q, want it unmasked", key)
	}
	wantJSON(t, got.Request, `{"method":"GET","path":"/ws/inspect","query":"a=1&b=%20&token=[masked]",`+
		`"host":"app.example","headers":{"Authorization":["[masked]"],"Connection":["Upgrade"],`+
		`"Sec-Websocket-Extensions":["permessage-deflate; server_no_context_takeover; `+
		`client_no_context_takeover"],"Sec-Websocket-Key":["`+key+`"],`+
		`"Sec-Websocket-Protocol":["chat, v2"],"Sec-Websocket-Version":["13"],`+
		`"Upgrade":["websocket"],"User-Agent":["test"],"X-Both":["one","two"]},`+
		`"remoteAddress":"`+c.LocalAddr().String()+`","localAddress":"`+c.RemoteAddr().String()+`",`+
		`"tls":null}`)
	wantJSON(t, got.Negotiated, `{"httpVersion":"1.1","subprotocol":"chat","extensions":`+
		`"permessage-deflate; server_no_context_takeover; client_no_context_takeover"}`)
	hostname, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if s := got.Server; s.Hostname != hostname || s.Pings != "every 5s" || s.Version == "" {
		t.Errorf("server %+v", s)
	}
}

func wantJSON(t *testing.T, got any, want string) {
	t.Helper()
	if got := string(encode(got, "")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestInspectTLS(t *testing.T) {
	a := start(t, "-tls")
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, ServerName: "app.example", NextProtos: []string{"http/1.1"},
	}}
	c, got := inspectWith(t, a.ws+"/inspect?cut=1", dialer, nil)
	wantJSON(t, got.Request.TLS, `{"version":"TLS 1.3","alpn":"http/1.1","sni":"app.example"}`)
	wantCut(t, c)
}

// wantCut sends a message, whose report is the last thing before the end of the stream.
func wantCut(t *testing.T, c *websocket.Conn) {
	t.Helper()
	send(t, c, websocket.TextMessage, "hi")
	wantReport(t, c, "message", 1)
	wantClose(t, c, websocket.CloseAbnormalClosure)
}

func TestInspectMessages(t *testing.T) {
	for _, query := range []string{"", "?delay=1ms"} {
		t.Run(query, func(t *testing.T) {
			c := inspectURL(t, start(t).ws+"/inspect"+query)
			send(t, c, websocket.TextMessage, "grüße")
			first := wantReport(t, c, "message", 1)
			if first.Type != "text" || *first.Size != 7 || first.RoundTrip != nil {
				t.Errorf("report %+v", first)
			}
			send(t, c, websocket.BinaryMessage, "\x00\xff")
			send(t, c, websocket.TextMessage, "")
			second := wantReport(t, c, "message", 2)
			if second.Type != "binary" || *second.Size != 2 {
				t.Errorf("report %+v", second)
			}
			third := wantReport(t, c, "message", 3)
			if third.Type != "text" || *third.Size != 0 {
				t.Errorf("report %+v", third)
			}
			if first.Age <= 0 || second.Age < first.Age || second.Time.Before(first.Time) {
				t.Errorf("ages %v and %v, times %v and %v",
					first.Age, second.Age, first.Time, second.Time)
			}
		})
	}
}

func TestInspectRoundTrip(t *testing.T) {
	a := start(t, "-ping-interval", "10ms")
	c := inspectURL(t, a.ws+"/inspect?every=10ms")
	for number := 1; ; number++ {
		if r := wantReport(t, c, "push", number); r.RoundTrip != nil {
			if *r.RoundTrip <= 0 || *r.RoundTrip > r.Age {
				t.Errorf("round trip %v ms at an age of %v ms", *r.RoundTrip, r.Age)
			}
			return
		}
	}
}

// Pings come unless they are switched off, by the query or for the whole application.
func TestInspectPings(t *testing.T) {
	for _, test := range []struct {
		interval, query string
		pings           string
	}{
		{"10ms", "", "every 10ms"},
		{"1h", "", "every 5s"},
		{"10ms", "&ping=on", "every 10ms"},
		{"10ms", "&ping=off", "off"},
		{"-1s", "", "off"},
	} {
		t.Run(test.interval+test.query, func(t *testing.T) {
			a := start(t, "-ping-interval", test.interval)
			url := a.ws + "/inspect?every=20ms&close=4000@5" + test.query
			c, h := inspectWith(t, url, websocket.Dialer{}, nil)
			if h.Server.Pings != test.pings {
				t.Errorf("pings %q, want %q", h.Server.Pings, test.pings)
			}
			pings := 0
			c.SetPingHandler(func(string) error { pings++; return nil })
			for number := range 5 {
				wantReport(t, c, "push", number+1)
			}
			wantClose(t, c, 4000)
			if (pings > 0) != (test.pings == "every 10ms") {
				t.Errorf("%d pings with pings %q", pings, test.pings)
			}
		})
	}
}

func TestInspectSize(t *testing.T) {
	a := start(t, "-compress")
	for query, want := range map[string]int{
		"size=0": 0, "size=9": 9, "size=4096": 4096, "size=1MiB": 1 << 20,
	} {
		c, _ := inspectWith(t, a.ws+"/inspect?"+query, websocket.Dialer{EnableCompression: true}, nil)
		send(t, c, websocket.BinaryMessage, "hi")
		kind, text, err := c.ReadMessage()
		if err != nil || kind != websocket.TextMessage || len(text) != want {
			t.Errorf("%s: type %d, %d bytes, %v", query, kind, len(text), err)
		}
		if prefix := `{"event":"message","number":1,`; want > len(prefix) {
			if !json.Valid(text) || !strings.HasPrefix(string(text), prefix) {
				t.Errorf("%s: %.200q", query, text)
			}
		}
	}
}

func TestInspectDelay(t *testing.T) {
	c := inspectURL(t, start(t).ws+"/inspect?delay=100ms")
	begin := time.Now()
	send(t, c, websocket.TextMessage, "one")
	send(t, c, websocket.TextMessage, "two")
	wantReport(t, c, "message", 1)
	if took := time.Since(begin); took < 100*time.Millisecond {
		t.Errorf("the report came after %v", took)
	}
	wantReport(t, c, "message", 2)
}

// A client is not kept waiting by what is delayed.
func TestInspectCloseDuringDelay(t *testing.T) {
	a := start(t)
	c := inspectURL(t, a.ws+"/inspect?delay=60s")
	for range 10 {
		send(t, c, websocket.TextMessage, "hi")
	}
	send(t, c, websocket.CloseMessage, string(websocket.FormatCloseMessage(4321, "")))
	wantClose(t, c, 4321)
}

func TestInspectEnds(t *testing.T) {
	a := start(t)
	t.Run("close at once", func(t *testing.T) {
		wantClose(t, inspectURL(t, a.ws+"/inspect?close=4000"), 4000)
	})
	t.Run("close after messages", func(t *testing.T) {
		c := inspectURL(t, a.ws+"/inspect?close=1013@2")
		for number := range 3 {
			send(t, c, websocket.TextMessage, "hi")
			if number < 2 {
				wantReport(t, c, "message", number+1)
			}
		}
		wantClose(t, c, 1013)
	})
	t.Run("close after delayed messages", func(t *testing.T) {
		c := inspectURL(t, a.ws+"/inspect?close=1013@1&delay=10ms")
		send(t, c, websocket.TextMessage, "hi")
		wantReport(t, c, "message", 1)
		wantClose(t, c, 1013)
	})
	t.Run("cut at once", func(t *testing.T) {
		wantClose(t, inspectURL(t, a.ws+"/inspect?cut=0"), websocket.CloseAbnormalClosure)
	})
	t.Run("cut after a message", func(t *testing.T) {
		wantCut(t, inspectURL(t, a.ws+"/inspect?cut=1"))
	})
	t.Run("cut after pushes", func(t *testing.T) {
		c := inspectURL(t, a.ws+"/inspect?cut=2&every=10ms")
		wantReport(t, c, "push", 1)
		wantReport(t, c, "push", 2)
		wantClose(t, c, websocket.CloseAbnormalClosure)
	})
}

// The end of the server ends pushes and delays, with 1001.
func TestInspectShutdown(t *testing.T) {
	for _, query := range []string{"every=10ms", "delay=60s", "every=10ms&ping=off&delay=60s"} {
		t.Run(query, func(t *testing.T) {
			a := start(t)
			c := inspectURL(t, a.ws+"/inspect?"+query)
			send(t, c, websocket.TextMessage, "hi")
			ended := make(chan error, 1)
			go func() {
				var err error
				for err == nil {
					_, _, err = c.ReadMessage()
				}
				ended <- err
			}()
			a.stop()
			if err := receive(t, ended); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
				t.Errorf("%v, want close 1001", err)
			}
			if line := a.waitLine(t, "Draining "); !strings.HasSuffix(line, "open WebSockets: 1") {
				t.Errorf("printed %q, want it to count the connection", line)
			}
		})
	}
}

// Reports take their turn, so that a client cannot make the server send without limit.
func TestInspectPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, begin := &inspection{}, time.Now()
		for _, want := range []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond} {
			if err := s.pace(t.Context(), 1<<20); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(begin).Round(time.Millisecond); got != want {
				t.Errorf("a further MiB after %v, want it after %v", got, want)
			}
		}
	})
}

// Reports that wait for their delay have a limit, and reading never pauses for them.
func TestInspectLateReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInspector("/ws", false, middleware.Options{MaxMessageRate: -1, PingInterval: -1})
		c := wstest.NewServer(t, in).Dial("/ws?delay=60s")
		c.Next()                           // the handshake
		for range 1 + maxLateReports + 1 { // one that is next, and one too many
			c.Send(wstest.Text("hi"))
		}
		c.Want(wstest.Close(1008, "too many reports wait for the delay of the query"))
	})
}

// The inspector is for this machine, unless a flag says otherwise.
func TestInspectFlag(t *testing.T) {
	for _, test := range []struct {
		args string
		path string // of the inspector; "" if there is none
	}{
		{"-addr localhost:0", "/ws/inspect"},
		{"-addr 127.0.0.1:0", "/ws/inspect"},
		{"-addr 127.9.9.9:0", "/ws/inspect"},
		{"-addr [::1]:0", "/ws/inspect"},
		{"", ""},
		{"-addr :0", ""},
		{"-addr 0.0.0.0:0", ""},
		{"-addr [::]:0", ""},
		{"-addr 192.0.2.1:0", ""},
		{"-addr localhost.example:0", ""},
		{"-addr :0 -inspect on", "/ws/inspect"},
		{"-addr 127.0.0.1:0 -inspect=off", ""},
		{"-addr 127.0.0.1:0 -behind-proxy", ""}, // whose clients are not on this machine
		{"-addr 127.0.0.1:0 -behind-proxy -inspect=on", "/ws/inspect"},
		{"-addr 127.0.0.1:0 -behind-proxy=false", "/ws/inspect"},
		{"-addr 192.0.2.1:0 -inspect=auto", ""},
		{"-addr 127.0.0.1:0 -path /", "/inspect"},
		{"-addr 127.0.0.1:0 -path /echo/", "/echo/inspect"},
	} {
		cfg, err := parse(strings.Fields(test.args), env("", ""), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if got := newEndpoints(cfg, slog.New(slog.DiscardHandler), new(statistics)).inspectPath(); got != test.path {
			t.Errorf("%s: inspector at %q, want %q", test.args, got, test.path)
		}
	}
	cfg, err := parse(nil, env("PORT", "/tmp/app.sock"), io.Discard)
	if err != nil || newEndpoints(cfg, slog.New(slog.DiscardHandler), new(statistics)).inspector != nil {
		t.Errorf("a Unix socket has an inspector (%v)", err)
	}
}

func TestInspectOff(t *testing.T) {
	a := start(t, "-inspect=off")
	if resp, body := handshake(t, a.ws+"/inspect"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("status %d, %.100q; want 404", resp.StatusCode, body)
	}
}

// Limits of the application that are lower hold for the inspector too.
func TestInspectLimits(t *testing.T) {
	for _, test := range []struct{ option, want int }{{0, 100}, {-1, 100}, {9, 9}, {65536, 100}} {
		if got := atMost(test.option, maxInspections); got != test.want {
			t.Errorf("MaxConns %d: %d, want %d", test.option, got, test.want)
		}
	}
}
