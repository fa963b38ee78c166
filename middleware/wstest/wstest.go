// Package wstest tests WebSocket handlers without a network, as net/http/httptest does for HTTP.
//
// [NewServer] serves an [http.Handler] on connections in memory, and [Server.Dial] opens a WebSocket
// on one. The [Client] sends and expects frames, one by one:
//
//	server := wstest.NewServer(t, middleware.New(middleware.Options{}))
//	c := server.Dial("/ws")
//	c.Send(wstest.Text("Hello from the client"))
//	c.Want(wstest.Text("Hello from the server! You sent: Hello from the client"))
//
// All of it works inside a bubble of testing/synctest, where pings and timeouts take no real time.
// Create the handler inside the bubble too.
package wstest

import (
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// endTimeout is how long handlers may take to return at the end of a test.
const endTimeout = 10 * time.Second

// Server is an HTTP server on connections in memory.
type Server struct {
	t testing.TB
	l *listener
}

// NewServer starts a server. At the end of the test it is closed, and the test fails if a call of
// the handler does not return although its client has gone.
func NewServer(t testing.TB, h http.Handler) *Server {
	l := &listener{conns: make(chan net.Conn), closed: make(chan struct{})}
	var calls sync.WaitGroup
	s := &http.Server{
		ReadHeaderTimeout: time.Hour,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			defer calls.Done()
			h.ServeHTTP(w, r)
		}),
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
		returned := make(chan struct{})
		go func() {
			calls.Wait()
			close(returned)
		}()
		select {
		case <-returned:
		case <-time.After(endTimeout):
			t.Error("wstest: a handler has not returned")
		}
	})
	return &Server{t, l}
}

// Connect opens a connection, on which [Client.Handshake] may begin a WebSocket.
func (s *Server) Connect() *Client {
	client, server := pipe()
	s.l.conns <- server
	return NewClient(s.t, client)
}

// Dial opens a WebSocket at path, with further header lines in the handshake such as
// "Origin: https://example.com".
func (s *Server) Dial(path string, header ...string) *Client {
	s.t.Helper()
	c := s.Connect()
	if resp := c.Handshake(path, header...); resp.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatalf("wstest: handshake at %s: %s, want 101", path, resp.Status)
	}
	return c
}

// listener accepts the connections of a Server.
type listener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return serverAddr }
