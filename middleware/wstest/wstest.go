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
	"context"
	"io"
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
	// Config is the server, to shut it down. What connections use, as ErrorLog, may be set before the
	// first one.
	Config *http.Server

	t testing.TB
	l *listener
}

// NewServer starts a server. At the end of the test it is closed, and the test fails if a call of
// the handler does not return although its client has gone.
func NewServer(t testing.TB, h http.Handler) *Server {
	l := &listener{conns: make(chan net.Conn), closed: make(chan struct{})}
	var running sync.WaitGroup
	config := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			running.Add(1)
			defer running.Done()
			h.ServeHTTP(w, r)
		}),
		// Without those of connections, a call might begin after the wait for all of them.
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				running.Add(1)
			case http.StateClosed, http.StateHijacked:
				running.Done()
			}
		},
	}
	ended := make(chan error, 1)
	go func() { ended <- config.Serve(l) }()
	t.Cleanup(func() {
		_ = config.Close()
		<-ended
		wantEnd(t, &running)
	})
	return &Server{config, t, l}
}

// wantEnd fails the test if the calls of a handler do not return.
func wantEnd(t testing.TB, running *sync.WaitGroup) {
	t.Helper()
	returned := make(chan struct{})
	go func() {
		running.Wait()
		close(returned)
	}()
	select {
	case <-returned:
	case <-time.After(endTimeout):
		t.Errorf("wstest: a handler has not returned within %v of the end of its client", endTimeout)
	}
}

// Connect opens a connection, on which [Client.Handshake] may begin a WebSocket.
func (s *Server) Connect() *Client {
	s.t.Helper()
	conn, err := s.l.connect()
	if err != nil {
		s.t.Fatalf("wstest: connect: %v", err)
	}
	return NewClient(s.t, conn)
}

// Dial opens a WebSocket at path, with further header lines in the handshake such as
// "Origin: https://example.com". See [Client.Handshake].
func (s *Server) Dial(path string, header ...string) *Client {
	s.t.Helper()
	c := s.Connect()
	if resp := c.Handshake(path, header...); resp.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		s.t.Fatalf("wstest: handshake at %s: %s, want 101: %q", path, resp.Status, body)
	}
	return c
}

// Client returns a client for requests other than handshakes, whatever the host in their URL.
func (s *Server) Client() *http.Client {
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return s.l.connect()
	}}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// listener accepts the connections of a Server.
type listener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// connect returns the client's end of a new connection.
func (l *listener) connect() (net.Conn, error) {
	client, server := pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
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
