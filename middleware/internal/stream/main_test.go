package stream_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"example.com/wsecho/middleware/internal/stream"
	"example.com/wsecho/middleware/wstest"
)

func TestMain(m *testing.M) { wstest.Main(m) }

var errReset = errors.New("stream reset")

// server is the body and the ResponseWriter of a request, as the server of HTTP/2 has them: reads
// and writes wait, and are aborted by a deadline in the past alone. It fails the test if it is used
// after the handler has returned.
type server struct {
	http.ResponseWriter
	t        *testing.T
	input    *io.PipeReader
	client   *io.PipeWriter // sends
	writes   chan string    // what was written and flushed
	deadline chan string    // deadlines that were set

	mu       sync.Mutex
	pending  string
	aborted  chan struct{} // closed by a write deadline
	returned bool
}

func newServer(t *testing.T) *server {
	s := &server{
		ResponseWriter: httptest.NewRecorder(), t: t, writes: make(chan string),
		deadline: make(chan string, 10), aborted: make(chan struct{}),
	}
	s.input, s.client = io.Pipe()
	return s
}

// open returns a stream. The request came from 127.0.0.1:2000.
func (s *server) open() *stream.Conn { return s.openWith(s) }

func (s *server) openWith(w stream.Writer) *stream.Conn {
	r := httptest.NewRequestWithContext(context.WithValue(s.t.Context(), http.LocalAddrContextKey,
		&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}), "CONNECT", "/ws", nil)
	r.RemoteAddr, r.ProtoMajor, r.Body = "127.0.0.1:2000", 2, s.input
	return stream.New(w, r)
}

func (s *server) use() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.returned {
		s.t.Error("used after the handler has returned")
	}
}

// finish is what the handler does at its end.
func (s *server) finish(c *stream.Conn) {
	c.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.returned = true
}

func (s *server) Write(p []byte) (int, error) {
	s.use()
	s.pending += string(p)
	return len(p), nil
}

func (s *server) FlushError() error {
	s.use()
	p := s.pending
	s.pending = ""
	select {
	case s.writes <- p:
		return nil
	case <-s.aborted:
		return errReset
	}
}

func (s *server) SetReadDeadline(at time.Time) error {
	s.use()
	if at.IsZero() {
		s.deadline <- "no read deadline"
	} else {
		s.deadline <- "read deadline"
		_ = s.input.CloseWithError(os.ErrDeadlineExceeded)
	}
	return nil
}

func (s *server) SetWriteDeadline(at time.Time) error {
	s.use()
	if at.IsZero() {
		s.deadline <- "no write deadline"
	} else {
		s.deadline <- "write deadline"
		close(s.aborted)
	}
	return nil
}

// wantDeadlines compares the deadlines that were set.
func (s *server) wantDeadlines(want ...string) {
	s.t.Helper()
	for _, want := range want {
		select {
		case got := <-s.deadline:
			if got != want {
				s.t.Errorf("%s was set, want %s", got, want)
			}
		default:
			s.t.Errorf("nothing was set, want %s", want)
		}
	}
	if len(s.deadline) > 0 {
		s.t.Errorf("%s was set, too", <-s.deadline)
	}
}

// read reads once.
func read(t *testing.T, c net.Conn, size int, want string) {
	t.Helper()
	p := make([]byte, size)
	if n, err := c.Read(p); err != nil || string(p[:n]) != want {
		t.Errorf("read %q, %v; want %q", p[:n], err, want)
	}
}

// readError wants a read to fail.
func readError(t *testing.T, c net.Conn, want error) {
	t.Helper()
	if n, err := c.Read(make([]byte, 10)); n != 0 || !errors.Is(err, want) {
		t.Errorf("read %d bytes, %v; want %v", n, err, want)
	}
}

func writeError(t *testing.T, c net.Conn, want error) {
	t.Helper()
	if n, err := c.Write([]byte("x")); n != 0 || !errors.Is(err, want) {
		t.Errorf("wrote %d bytes, %v; want %v", n, err, want)
	}
}
