// This is the main file of the module that TestFragments makes. The functions around the samples
// are in other files.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"example.com/wsecho/middleware"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
)

const greeted = "Hello from the server! You sent: hi"

func main() {
	log.SetFlags(log.Lshortfile)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	check(ask(messageFunc(), "/", nil), "2 bytes of text")
	check(ask(perConn(), "/", nil), "websocket: close 4401: log in first")
	cookie := http.Header{"Cookie": {"session=c0ffee"}}
	check(ask(perConn(), "/", cookie), "Ada, you sent: hi")
	checkHandlers()
	checkShutdown()
	checkOrigins()
	checkRefusals()
	checkMetrics()
	checkLog()
	fmt.Println("\nok")
}

// check ends the program unless got is wanted.
func check(got, want string) {
	if got != want {
		_ = log.Output(2, fmt.Sprintf("got %q, want %q", got, want))
		log.Fatal("failed")
	}
}

// ask sends "hi", and returns the reply, the close or the refusal.
func ask(h http.Handler, path string, header http.Header) string {
	s := httptest.NewServer(h)
	defer s.Close()
	c, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.URL, "http")+path, header)
	if err != nil {
		return fmt.Sprint(resp.StatusCode)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_ = c.WriteMessage(websocket.TextMessage, []byte("hi"))
	_, reply, err := c.ReadMessage()
	if err != nil {
		return err.Error()
	}
	return string(reply)
}

// get returns the response to a plain request.
func get(h http.Handler, path string) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Body.String()
}

// The endpoints serve WebSockets, and the applications everything else.
func checkHandlers() {
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "app")
	})
	newWS := func(path string) *middleware.Middleware {
		return middleware.New(middleware.Options{Path: path})
	}
	users := func(c *gin.Context) { c.String(200, "app") }
	for _, h := range []http.Handler{
		wrap(newWS("/ws"), app), ginMiddleware(users), negroniMiddleware(app),
	} {
		check(ask(h, "/ws", nil), greeted)
		check(get(h, "/users"), "app")
	}
	both := twoEndpoints(newWS("/chat"), newWS("/feed"), app)
	check(ask(both, "/chat", nil), greeted)
	check(ask(both, "/feed", nil), greeted)
	check(get(both, "/users"), "app")

	r := gin.New()
	ginRoute(r, newWS("/ws"))
	check(ask(r, "/ws", nil), greeted)
	check(ask(withMetrics(), "/ws", nil), greeted)

	nobody := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
	}
	check(ask(inFront(newWS("/ws"), app, nobody), "/ws", nil), "401")

	mux := http.NewServeMux()
	oneHost(mux, newWS("/ws"), app)
	check(ask(mux, "/ws", nil), "404")
	check(ask(mux, "/ws", http.Header{"Host": {"chat.example.com:3000"}}), greeted)
}

// Both halves of a server end, and clients get 1001.
func checkShutdown() {
	ws := middleware.New(middleware.Options{})
	s := httptest.NewServer(ws)
	c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.URL, "http"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	ended := make(chan error, 1)
	go func() { ended <- shutdown(ws, s.Config) }()
	_, _, err = c.ReadMessage()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != 1001 {
		log.Fatal(err)
	}
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
	if _, err := http.Get(s.URL); err == nil {
		log.Fatal("the server still serves")
	}
}

// What the FAQ says about patterns.
func checkOrigins() {
	for _, test := range []struct{ pattern, origin, want string }{
		{"*", "https://anything.example:8443", greeted},
		{"https://*.example.com", "https://www.example.com", greeted},
		{"https://*.example.com", "https://example.com", "403"},
		{"https://*.example.com", "https://www.example.com:8443", "403"},
		{"http://localhost:*", "http://localhost:5173", greeted},
		{"http://localhost:*", "http://127.0.0.1:5173", "403"},
	} {
		ws := middleware.New(middleware.Options{AllowedOrigins: []string{test.pattern}})
		check(ask(ws, "/", http.Header{"Origin": {test.origin}}), test.want)
	}
}

// What a route of ws alone answers to what is no handshake, and to what is one over HTTP/2 on a
// ResponseWriter that hides the connection.
func checkRefusals() {
	for _, test := range []struct {
		major            int
		method, protocol string
		want             int
	}{
		{1, "GET", "", 426},
		{2, "GET", "", 505},
		{2, "CONNECT", "connect-udp", 505},
		{2, "CONNECT", "websocket", 500},
	} {
		r := httptest.NewRequest(test.method, "/ws", nil)
		r.ProtoMajor, r.ProtoMinor = test.major, 2-test.major
		r.Header.Set("Sec-WebSocket-Version", "13")
		if test.protocol != "" {
			r.Header[":protocol"] = []string{test.protocol}
		}
		w := httptest.NewRecorder()
		middleware.New(middleware.Options{}).ServeHTTP(w, r)
		check(fmt.Sprint(w.Code), fmt.Sprint(test.want))
	}
	server := &http.Server{}
	configure(server)
	check(fmt.Sprint(*server.HTTP2), fmt.Sprint(http.HTTP2Config{
		MaxReceiveBufferPerStream: 65536, WriteByteTimeout: 10 * time.Second,
	}))
}

// The metrics are those that are listed. withMetrics has registered them.
func checkMetrics() {
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		log.Fatal(err)
	}
	var got, want []string
	for _, family := range families {
		if strings.HasPrefix(family.GetName(), "websocket_") {
			got = append(got, family.GetName())
		}
	}
	for line := range strings.Lines(listed) {
		want = append(want, line[:strings.IndexAny(line, " {")])
	}
	slices.Sort(want)
	check(fmt.Sprint(got), fmt.Sprint(want))
}

// lines is a writer that passes on each write, which is a line.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// Of 1007 refusals within a second, 5 are logged and the others counted.
func checkLog() {
	logged := make(lines, 10)
	ws := middleware.New(middleware.Options{
		Logger: slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		})),
	})
	r := httptest.NewRequest("GET", "/ws", nil)
	for _, header := range []string{
		"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Origin: https://evil.example",
	} {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	for range 1007 {
		ws.ServeHTTP(httptest.NewRecorder(), r)
	}
	for range 5 {
		<-logged
	}
	select {
	case line := <-logged:
		check(line, leftOut+"\n")
	case <-time.After(10 * time.Second):
		log.Fatal("no line has the count")
	}
}
