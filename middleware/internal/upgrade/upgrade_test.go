package upgrade_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware/internal/upgrade"
)

// Where nobody watches the 101, net/http has no part in it; it keeps the rules all the same.
func TestResponseHead(t *testing.T) {
	h := newSwitching(t, func(w writer) writer {
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.Header().Set("X-Split", "x\r\nX-Injected: y")
		w.Header().Set("X Bad", "no name")
		return w
	})
	s := httptest.NewUnstartedServer(h)
	s.Config.SetKeepAlivesEnabled(false) // with which net/http would break the Connection header
	s.Start()
	t.Cleanup(s.Close)
	c := dial(t, s)
	c.send(request + "hi")
	c.want("HTTP/1.1 101 Switching Protocols\r\n" +
		"Connection: Upgrade\r\n" +
		"Set-Cookie: a=1\r\n" +
		"Set-Cookie: b=2\r\n" +
		"Upgrade: echo\r\n" +
		"X-Split: x  X-Injected: y\r\n\r\n" +
		"hi")
	c.sendEnd()
	c.wantEnd()
	h.wait()
}

// A 101 has no body (RFC 9110 §8.6, RFC 9112 §6.1).
func TestResponseHeadWithoutBody(t *testing.T) {
	h := newSwitching(t, func(w writer) writer {
		w.Header().Set("Content-Length", "5")
		w.Header().Set("Transfer-Encoding", "chunked")
		return w
	})
	s, _ := serve(t, h)
	c := dial(t, s)
	c.send(request)
	c.want("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
}

// Bytes sent behind the request, without waiting for the answer, are not lost.
func TestEarlyBytes(t *testing.T) {
	for _, test := range []struct {
		name string
		wrap func(w writer) writer
	}{
		{"the server's", func(w writer) writer { return w }},
		{"Unwrap", func(w writer) writer { return &unwrapOnly{w, func(int) {}} }},
		{"Hijack", func(w writer) writer { return &hijackOnly{w, func(int) {}} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newSwitching(t, test.wrap)
			s, _ := serve(t, h)
			c := dial(t, s)
			large := strings.Repeat("x", 60000) // more than net/http's buffer holds
			c.send(request + "early" + large)
			c.sendEnd()
			if resp := c.response(); resp.StatusCode != 101 {
				t.Fatal(resp.Status)
			}
			c.want("early" + large)
			c.wantEnd()
			h.wait()
		})
	}
}

// Received are the bytes that net/http has read, no matter how and when.
func TestReceived(t *testing.T) {
	for _, test := range []struct {
		name, first, second string
		want                string
	}{
		{"nothing", request, "", ""},
		{"with the request", request + "early", "", "early"},
		{"while the handler runs", request, "x", "x"}, // by the read that waits for a hang-up
	} {
		t.Run(test.name, func(t *testing.T) {
			running, sent := make(chan struct{}), make(chan struct{})
			received := make(chan string, 1)
			c, server := pipe(t)
			serveConn(t, server, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(running)
				<-sent
				conn, b, err := upgrade.Accept(w, r, patience)
				received <- string(b)
				if err != nil {
					t.Error(err)
					return
				}
				_ = conn.Close()
			}))
			// What a pipe is sent has been read once the call returns.
			c.send(test.first)
			wait(t, running)
			c.send(test.second)
			close(sent)
			if resp := c.response(); resp.StatusCode != 101 {
				t.Error(resp.Status)
			}
			if got := <-received; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			c.wantEnd()
		})
	}
}

// keeps is a wrapper that shows what its Hijack has returned.
type keeps struct {
	http.ResponseWriter
	brw      *bufio.ReadWriter
	buffered []byte
}

func (w *keeps) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, brw, err := w.ResponseWriter.(http.Hijacker).Hijack()
	if err == nil {
		w.brw = brw
		w.buffered, _ = brw.Peek(brw.Reader.Buffered())
	}
	return conn, brw, err
}

// Accept gives up net/http's buffers and keeps nothing that is in them.
func TestBuffersGivenUp(t *testing.T) {
	ended := make(chan struct{})
	c, server := pipe(t)
	serveConn(t, server, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		k := &keeps{ResponseWriter: w}
		conn, received, err := upgrade.Accept(k, r, patience)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		if r, w := k.brw.Reader.Size(), k.brw.Writer.Size(); r != 0 || w != 0 {
			t.Errorf("buffers of %d and %d bytes are kept", r, w)
		}
		clear(k.buffered)
		if string(k.buffered) != "\x00\x00\x00\x00\x00" || string(received) != "early" {
			t.Errorf("received %q, the buffer cleared is %q", received, k.buffered)
		}
	}))
	c.send(request + "early")
	if resp := c.response(); resp.StatusCode != 101 {
		t.Error(resp.Status)
	}
	wait(t, ended)
	c.wantEnd()
}

// watched is a connection that fails on demand and notes the write deadlines set.
type watched struct {
	net.Conn
	writeErr, deadlineErr error
	deadlines             []time.Time
}

func (c *watched) Write(p []byte) (int, error) {
	if c.writeErr != nil {
		return 0, c.writeErr
	}
	return c.Conn.Write(p)
}

func (c *watched) SetWriteDeadline(d time.Time) error {
	c.deadlines = append(c.deadlines, d)
	if c.deadlineErr != nil {
		return c.deadlineErr
	}
	return c.Conn.SetWriteDeadline(d)
}

// If the 101 cannot be written, Hijack returns a connection that is closed.
func TestUnwritable(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		name                  string
		writeErr, deadlineErr error
		timeout               time.Duration
	}{
		{"write fails", broken, nil, patience},
		{"write without deadline fails", broken, nil, 0},
		{"deadline fails", nil, broken, patience},
		{"client does not read", nil, nil, time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			ended := make(chan struct{})
			c, server := pipe(t)
			conn := &watched{Conn: server, writeErr: test.writeErr, deadlineErr: test.deadlineErr}
			serveConn(t, conn, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(ended)
				got, received, err := upgrade.Accept(w, r, test.timeout)
				if err != nil || got != net.Conn(conn) || string(received) != "early" {
					t.Errorf("got %v, %q, %v", got, received, err)
					return
				}
				if _, err := got.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
					t.Errorf("reading: %v, want %v", err, io.ErrClosedPipe)
				}
			}))
			c.send(request + "early")
			wait(t, ended)
			c.wantEnd()
		})
	}
}

// The timeout is a deadline for the 101 if it is positive.
func TestTimeout(t *testing.T) {
	for _, test := range []struct {
		name    string
		timeout time.Duration
		want    bool
	}{
		{"positive", time.Hour, true},
		{"zero", 0, false},
		{"negative", -1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			ended := make(chan struct{})
			c, server := pipe(t)
			conn := &watched{Conn: server}
			serveConn(t, conn, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(ended)
				conn.deadlines = nil
				earliest := time.Now().Add(test.timeout)
				got, _, err := upgrade.Accept(w, r, test.timeout)
				latest := time.Now().Add(test.timeout)
				if err != nil {
					t.Error(err)
					return
				}
				_ = got.Close()
				if set := conn.deadlines; len(set) == 1 != test.want || len(set) > 1 {
					t.Errorf("deadlines set: %v", set)
				} else if test.want && (set[0].Before(earliest) || set[0].After(latest)) {
					t.Errorf("deadline %v, want %v to %v", set[0], earliest, latest)
				}
			}))
			c.send(request)
			if resp := c.response(); resp.StatusCode != 101 {
				t.Error(resp.Status)
			}
			wait(t, ended)
		})
	}
}
