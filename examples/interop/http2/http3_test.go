package http2_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// serve3 serves HTTP/3 and returns the server and its address.
func serve3(t testing.TB, h http.Handler) (*http3.Server, string) {
	t.Helper()
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	certified.Close()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http3.Server{
		Handler:   h,
		TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: certified.TLS.Certificates}),
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(socket) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
		_ = socket.Close()
	})
	return s, socket.LocalAddr().String()
}

// client3 is a connection of HTTP/3.
type client3 struct {
	t    testing.TB
	conn *quic.Conn
	h3   *http3.ClientConn
}

func dial3(t testing.TB, address string) *client3 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	config := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{http3.NextProtoH3}}
	conn, err := quic.DialAddr(ctx, address, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http3.Transport{}
	c := &client3{t, conn, transport.NewClientConn(conn)}
	t.Cleanup(func() {
		_ = conn.CloseWithError(0, "")
		_ = transport.Close()
	})
	select {
	case <-c.h3.ReceivedSettings():
	case <-ctx.Done():
		t.Fatal("no settings")
	}
	if !c.h3.Settings().EnableExtendedConnect {
		t.Fatal("extended CONNECT is not announced")
	}
	return c
}

// stream3 is a stream of HTTP/3.
type stream3 struct {
	*http3.RequestStream
	t    testing.TB
	resp *http.Response
}

// open sends a request for the path, with lines of headers, and reads the head of the response.
func (c *client3) open(path, protocol string, lines ...string) *stream3 {
	c.t.Helper()
	s := &stream3{t: c.t}
	var err error
	if s.RequestStream, err = c.h3.OpenRequestStream(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	_ = s.SetDeadline(time.Now().Add(timeout))
	r := &http.Request{
		Method: http.MethodConnect, Proto: protocol, ProtoMajor: 3, Host: "localhost",
		URL:    &url.URL{Scheme: "https", Host: "localhost", Path: path},
		Header: http.Header{"Sec-Websocket-Version": {"13"}},
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header[name] = []string{value}
	}
	if err := s.SendRequestHeader(r); err != nil {
		c.t.Fatal(err)
	}
	if s.resp, err = s.ReadResponse(); err != nil {
		c.t.Fatal(err)
	}
	return s
}

func (c *client3) connect(lines ...string) *stream3 {
	c.t.Helper()
	s := c.open("/ws", "websocket", lines...)
	if s.resp.StatusCode != http.StatusOK {
		c.t.Fatalf("got %s", s.resp.Status)
	}
	return s
}

func (s *stream3) send(bytes string) {
	s.t.Helper()
	if _, err := io.WriteString(s, bytes); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stream3) want(want string) {
	s.t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(s, got); string(got) != want {
		s.t.Fatalf("got %.200q, %v; want %.200q", got[:n], err, want)
	}
}

func (s *stream3) wantEnd() {
	s.t.Helper()
	if rest, err := io.ReadAll(s); err != nil || len(rest) > 0 {
		s.t.Fatalf("got %.200q, %v; want the end", rest, err)
	}
}

func TestHTTP3Conformance(t *testing.T) {
	_, address := serve3(t, echo(middleware.Options{}).Handler(app()))
	c := dial3(t, address)
	for _, test := range conformanceCases() {
		t.Run(test.Name, func(t *testing.T) {
			c.t = t
			ws := c.connect()
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				_, _ = io.WriteString(ws, test.Send) // The server may end the stream before.
			}()
			ws.want(test.Want)
			ws.wantEnd()
			<-sent
		})
	}
}

func TestHTTP3Handshake(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	})
	m := echo(middleware.Options{Compression: true})
	h := setHeaders(m.Handler(next), "Set-Cookie", "a=1", "Content-Length", "5", "Connection", "close")
	_, address := serve3(t, h)
	c := dial3(t, address)
	ws := c.connect("Sec-Websocket-Protocol: a, b", "Sec-Websocket-Extensions: permessage-deflate",
		"Origin: https://localhost")
	var got strings.Builder
	_ = ws.resp.Header.WriteSubset(&got, map[string]bool{"Date": true})
	if want := "Sec-Websocket-Extensions: permessage-deflate; server_no_context_takeover; " +
		"client_no_context_takeover\r\nSec-Websocket-Protocol: a\r\nSet-Cookie: a=1\r\n"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
	ws.send(text("hi") + bye)
	ws.want(reply(0x81, "hi") + byeBack)
	ws.wantEnd()
	_, address = serve3(t, m.Handler(next))
	c = dial3(t, address)
	for _, test := range []struct {
		path, protocol, line string
		status               int
	}{
		{"/ws", "websocket", "Origin: https://b.example", 403},
		{"/ws", "websocket", "Sec-Websocket-Version: 8", 426},
		{"/ws", "webtransport", "X-Any: a", 418},
		{"/other", "websocket", "X-Any: a", 418},
	} {
		if got := c.open(test.path, test.protocol, test.line).resp.StatusCode; got != test.status {
			t.Errorf("%+v: got %d", test, got)
		}
	}
}

// What a client does to its stream ends one connection.
func TestHTTP3Ends(t *testing.T) {
	for _, test := range []struct {
		name, sent string
		end        func(*client3, *stream3)
		code       int
	}{
		{"reset", hello[:7], func(_ *client3, s *stream3) {
			s.CancelWrite(quic.StreamErrorCode(http3.ErrCodeRequestCanceled))
			s.CancelRead(quic.StreamErrorCode(http3.ErrCodeRequestCanceled))
		}, 1006},
		{"end", hello[:7], func(_ *client3, s *stream3) {
			_ = s.Close()
			s.wantEnd()
		}, 1006},
		{"end of the connection", hello, func(c *client3, s *stream3) {
			s.want(helloBack)
			_ = c.conn.CloseWithError(0, "")
		}, 1006},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := newEndings(t)
			_, address := serve3(t, e.around(echo(e.watch(middleware.Options{}))))
			c := dial3(t, address)
			ws := c.connect()
			ws.send(test.sent)
			test.end(c, ws)
			e.wantClosed(test.code, false)
		})
	}
}

// A client that does not read is cut after the WriteTimeout.
func TestHTTP3Stalled(t *testing.T) {
	e := newEndings(t)
	_, address := serve3(t, e.around(echo(e.watch(middleware.Options{
		WriteTimeout: shortWrite, Handler: flood(),
	}))))
	dial3(t, address).connect()
	e.wantClosed(1006, false)
}

func TestHTTP3ManyStreams(t *testing.T) {
	e := newEndings(t)
	_, address := serve3(t, e.around(echo(e.watch(middleware.Options{}))))
	c := dial3(t, address)
	payload := strings.Repeat("x", 3000)
	var wg sync.WaitGroup
	streams := make([]*stream3, 100)
	for i := range streams {
		streams[i] = c.connect()
	}
	for _, ws := range streams {
		wg.Go(func() {
			want := strings.Repeat(reply(0x81, payload), 10) + byeBack
			go func() { _, _ = io.WriteString(ws, strings.Repeat(text(payload), 10)+bye) }()
			if got, err := io.ReadAll(ws); string(got) != want || err != nil {
				t.Errorf("got %d bytes, %v; want %d", len(got), err, len(want))
			}
		})
	}
	waitAll(t, &wg)
	for range streams {
		e.wantClosed(1000, true)
	}
}

func TestHTTP3Shutdown(t *testing.T) {
	e := newEndings(t)
	m := echo(e.watch(middleware.Options{}))
	_, address := serve3(t, e.around(m))
	c := dial3(t, address)
	streams := make([]*stream3, 20)
	for i := range streams {
		streams[i] = c.connect()
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- m.Shutdown(ctx) }()
	for _, ws := range streams {
		ws.want(closeReply(1001, "server is shutting down"))
		ws.send(closing(1001, ""))
		ws.wantEnd()
		e.wantClosed(1001, false)
	}
	if err := receive(t, drained); err != nil {
		t.Error(err)
	}
	refused := c.open("/ws", "websocket")
	if refused.resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("got %s", refused.resp.Status)
	}
}
