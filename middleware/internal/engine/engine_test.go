package engine

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// start returns an engine, and the client's end of its connection.
func start(t *testing.T, ping func(string) error) (*Engine, net.Conn) {
	t.Helper()
	server, client := net.Pipe()
	t.Cleanup(func() { _, _ = server.Close(), client.Close() })
	e := new(Engine)
	e.Start(server, ping)
	return e, client
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
	e, client := start(t, func(payload string) error { pings <- payload; return nil })
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
	e := new(Engine)
	e.Start(brokenConn{err: broken}, nil)
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

// brokenConn fails, but takes the deadlines that gorilla sets.
type brokenConn struct {
	net.Conn
	err error
}

func (brokenConn) SetDeadline(time.Time) error      { return nil }
func (brokenConn) SetWriteDeadline(time.Time) error { return nil }

func (c brokenConn) Read([]byte) (int, error)  { return 0, c.err }
func (c brokenConn) Write([]byte) (int, error) { return 0, c.err }
