package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware/internal/frame"
	"example.com/wsecho/middleware/wstest"
)

func TestMain(m *testing.M) { wstest.Main(m) }

// patience is how long a test waits for what has to happen.
const patience = 10 * time.Second

// Frames of a client, masked with the bytes 1, 2, 3, 4.
const (
	hello     = "\x81\x85\x01\x02\x03\x04igohn"          // text "hello"
	pingA     = "\x89\x81\x01\x02\x03\x04\x60"           // "a"
	pingB     = "\x89\x81\x01\x02\x03\x04\x63"           // "b"
	pong      = "\x8a\x80\x01\x02\x03\x04"               // no payload
	closeDone = "\x88\x82\x01\x02\x03\x04\x02\xea"       // 1000
	closeBye  = "\x88\x85\x01\x02\x03\x04\x0e\xa2\x61}d" // 4000 "bye"
	large     = "\x82\xfe\x9c\x40\x01\x02\x03\x04"       // the header of 40,000 bytes
	largeSize = 40000
)

// owner notes what it is asked.
type owner struct {
	pings       []string
	pingErr     error
	interrupted func(waited time.Duration) (time.Time, error)
}

func (*owner) Pong(string) error { return nil }

func (o *owner) Ping(payload string) error {
	o.pings = append(o.pings, payload)
	return o.pingErr
}

func (o *owner) Interrupted(waited time.Duration) (time.Time, error) {
	return o.interrupted(waited)
}

// anyFrames is a configuration without limits.
func anyFrames() Config {
	return Config{Owner: new(owner), Guard: frame.NewGuard(true, -1), WriteTimeout: -1}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// connect returns both ends of a TCP connection.
func connect(t testing.TB, l net.Listener) (server, client *net.TCPConn) {
	t.Helper()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dialed.Close() })
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = accepted.Close() })
	return accepted.(*net.TCPConn), dialed.(*net.TCPConn)
}

// pair returns both ends of a connection with a descriptor, or of one without.
func pair(t testing.TB, descriptor bool) (server, client net.Conn) {
	t.Helper()
	if descriptor {
		return connect(t, listen(t))
	}
	server, client = net.Pipe()
	t.Cleanup(func() { _, _ = server.Close(), client.Close() })
	return server, client
}

// bound closes the connections if the test takes too long.
func bound(t testing.TB, conns ...net.Conn) {
	timer := time.AfterFunc(patience, func() {
		t.Error("the test does not end")
		for _, c := range conns {
			_ = c.Close()
		}
	})
	t.Cleanup(func() { timer.Stop() })
}

// read reads with a buffer of that size until there is an error.
func read(t *Transport, size int) (string, error) {
	var all strings.Builder
	p := make([]byte, size)
	for {
		n, err := t.Read(p)
		all.Write(p[:n])
		if err != nil {
			return all.String(), err
		}
	}
}

// describe tells errors of a type, and what is in them.
func describe(err error) string {
	var violation *frame.Violation
	var received *frame.CloseReceived
	switch {
	case errors.As(err, &violation):
		return fmt.Sprintf("violation %d: %s", violation.Code, violation.Reason)
	case errors.As(err, &received):
		return fmt.Sprintf("closed %d %q", received.Code, received.Reason)
	case err == io.EOF || err == nil:
		return fmt.Sprint(err)
	}
	return fmt.Sprintf("%T: %v", err, err)
}

func shorten(s string) string {
	if len(s) > 80 {
		return fmt.Sprintf("%q and %d bytes more", s[:80], len(s)-80)
	}
	return fmt.Sprintf("%q", s)
}

// awaitParkable returns the Await of a reader that may be parked.
func awaitParkable(tr *Transport) func() error {
	return func() error { return tr.Await(true) }
}

// after calls f in a goroutine, and returns after what time, and with what, it is done.
func after(f func() error) (time.Duration, error) {
	began, done := time.Now(), make(chan error)
	go func() { done <- f() }()
	err := <-done
	return time.Since(began), err
}
