package engine

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

// user is a connection that hands pings on.
type user struct {
	io.ReadWriter
	pings chan string
}

func (u user) Ping(payload string) error { u.pings <- payload; return nil }
func (u user) Pong(string) error         { return nil }

// start returns an engine, and the client's end of its connection.
func start(t *testing.T, pings chan string) (*Engine, net.Conn) {
	t.Helper()
	server, client := net.Pipe()
	t.Cleanup(func() { _, _ = server.Close(), client.Close() })
	return new(Pool).Lend(user{server, pings}), client
}

// Nothing of gorilla's handshake is sent: the first bytes are those of a frame.
func TestWrite(t *testing.T) {
	e, client := start(t, nil)
	long := strings.Repeat("x", 1000)
	written := make(chan error, 1)
	go func() {
		err := e.WriteMessage(1, []byte("hello"))
		w, nextErr := e.NextWriter(2)
		if nextErr == nil {
			_, nextErr = io.WriteString(w, long)
			err = errors.Join(err, w.Close())
		}
		written <- errors.Join(err, nextErr)
	}()
	want := "\x81\x05hello" + "\x02\x7e\x01\xf2" + long[:498] + "\x00\x7e\x01\xf2" + long[:498] + "\x80\x04xxxx"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(client, got); err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}

// Messages are decoded, and pings within them are handed on.
func TestRead(t *testing.T) {
	pings := make(chan string, 1)
	e, client := start(t, pings)
	go func() {
		_, _ = io.WriteString(client, "\x02\x82\x01\x02\x03\x04``"+"\x89\x81\x01\x02\x03\x04q"+"\x80\x81\x01\x02\x03\x04a")
		_, _ = io.WriteString(client, "\x81\x80\x01\x02\x03\x04")
		_ = client.Close()
	}()
	for _, want := range []struct {
		opcode  int
		payload string
	}{{2, "ab`"}, {1, ""}} {
		opcode, r, err := e.NextReader()
		if err != nil {
			t.Fatal(err)
		}
		payload, err := io.ReadAll(r)
		if opcode != want.opcode || string(payload) != want.payload || err != nil {
			t.Errorf("got %d %q, %v; want %d %q", opcode, payload, err, want.opcode, want.payload)
		}
	}
	if got := <-pings; got != "p" {
		t.Errorf("ping %q", got)
	}
	if _, _, err := e.NextReader(); err == nil {
		t.Error("no error at the end of the stream")
	}
}

// The engine fails with the errors of its connection as they are, which its user looks for.
func TestErrors(t *testing.T) {
	broken := errors.New("broken")
	e := new(Pool).Lend(user{brokenConn{broken}, nil})
	if _, _, err := e.NextReader(); err != broken {
		t.Errorf("NextReader: %v", err)
	}
	if err := e.WriteMessage(1, nil); err != broken {
		t.Errorf("WriteMessage: %v", err)
	}
	if _, err := e.NextWriter(1); err != broken {
		t.Errorf("NextWriter: %v", err)
	}
}

// brokenConn fails.
type brokenConn struct{ err error }

func (c brokenConn) Read([]byte) (int, error)  { return 0, c.err }
func (c brokenConn) Write([]byte) (int, error) { return 0, c.err }

// stream is a connection with its input, which it may give in pieces, and its output.
type stream struct {
	in  *strings.Reader
	max int
	out strings.Builder
}

func (s *stream) Read(p []byte) (int, error)  { return s.in.Read(p[:min(len(p), s.max)]) }
func (s *stream) Write(p []byte) (int, error) { return s.out.Write(p) }

// newStream is a stream with a text message of two frames and a ping in between, all masked.
func newStream(name byte, max int) *stream {
	n := string(name ^ 1)
	return &stream{max: max, in: strings.NewReader(
		"\x01\x81\x01\x02\x03\x04" + n + "\x89\x81\x01\x02\x03\x04" + n + "\x80\x81\x01\x02\x03\x04" + n)}
}

// readAll reads the message of a newStream with a name.
func readAll(t *testing.T, e *Engine, name byte, pings chan string) {
	t.Helper()
	opcode, r, err := e.NextReader()
	if err != nil {
		t.Fatal(err)
	}
	payload, err := io.ReadAll(r)
	if want := string([]byte{name, name}); opcode != 1 || string(payload) != want || err != nil {
		t.Errorf("got %d %q, %v; want %q", opcode, payload, err, want)
	}
	if got := <-pings; got != string(name) {
		t.Errorf("ping %q, want %q", got, name)
	}
}

// An engine that is lent again has nothing of whom it was lent to before, wherever the input of that
// one ended.
func TestLendAgain(t *testing.T) {
	pings := make(chan string, 1)
	for size := range 22 {
		p := new(Pool)
		first := newStream('a', 5)
		first.in = strings.NewReader("\x01\x81\x01\x02\x03\x04`\x89\x81\x01\x02\x03\x04`\x80\x81\x01\x02\x03\x04`"[:size])
		e := p.Lend(user{first, pings})
		whole := size == 21
		_, r, err := e.NextReader()
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if (err == nil) != whole {
			t.Fatalf("%d bytes: %v", size, err)
		}
		select {
		case <-pings:
		default:
		}
		if err := e.WriteMessage(2, []byte("secret")); err != nil {
			t.Fatal(err)
		}
		e.Return()
		second := newStream('b', 100)
		again := p.Lend(user{second, pings})
		if !whole && again == e {
			t.Errorf("%d bytes: lent again after an error", size)
		}
		readAll(t, again, 'b', pings)
		if err := again.WriteMessage(2, []byte("x")); err != nil || second.out.String() != "\x82\x01x" {
			t.Errorf("%d bytes: wrote %q, %v", size, second.out.String(), err)
		}
		again.Return()
		if got := first.out.String(); got != "\x82\x06secret" {
			t.Errorf("%d bytes: the first has %q", size, got)
		}
	}
}

// An engine that has read too far is not lent again: what it has read belongs to its user.
func TestInputLeft(t *testing.T) {
	p := new(Pool)
	pings := make(chan string, 1)
	s := newStream('a', 100)
	s.in = strings.NewReader("\x82\x80\x01\x02\x03\x04" + "\x82")
	e := p.Lend(user{s, pings})
	if _, r, err := e.NextReader(); err != nil {
		t.Fatal(err)
	} else if b, err := io.ReadAll(r); len(b) > 0 || err != nil {
		t.Fatalf("read %q, %v", b, err)
	}
	e.Return()
	if p.Lend(user{newStream('b', 100), pings}) == e {
		t.Error("lent again")
	}
}
