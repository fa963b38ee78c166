package transport

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// last is what is written before the end.
const last = "\x88\x02\x03\xe8"

// lingered writes what is last, and calls Linger.
func lingered(t *testing.T, server net.Conn, until time.Time) <-chan struct{} {
	t.Helper()
	tr := New(server, nil, anyFrames())
	if err := tr.WriteClose([]byte(last[2:])); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		tr.Linger(until)
	}()
	return done
}

func wantDone(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("Linger does not return")
	}
}

// wantLast reads until the end of the stream, which is not to be a reset.
func wantLast(t *testing.T, client net.Conn) {
	t.Helper()
	_ = client.SetReadDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(client)
	if string(got) != last || err != nil {
		t.Errorf("the client gets %q, %v, want %q and the end", got, err, last)
	}
}

func TestLinger(t *testing.T) {
	for _, test := range []struct {
		name   string
		before func(client *net.TCPConn)
		after  func(client *net.TCPConn) // Linger has been called
	}{
		{"the client has ended", func(c *net.TCPConn) { _ = c.CloseWrite() }, func(*net.TCPConn) {}},
		{"the client ends", func(*net.TCPConn) {}, func(c *net.TCPConn) { _ = c.CloseWrite() }},
		{"the client has sent on", func(c *net.TCPConn) { _, _ = io.WriteString(c, hello) }, func(c *net.TCPConn) { _ = c.CloseWrite() }},
		{"the client has sent and ended", func(c *net.TCPConn) { _, _ = io.WriteString(c, hello); _ = c.CloseWrite() }, func(*net.TCPConn) {}},
		{"the client sends on", func(*net.TCPConn) {}, func(c *net.TCPConn) {
			_, _ = c.Write(bytes.Repeat([]byte(hello), 100_000))
			_ = c.CloseWrite()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, client := connect(t, listen(t))
			bound(t, server, client)
			test.before(client)
			done := lingered(t, server, time.Time{})
			test.after(client)
			wantLast(t, client)
			wantDone(t, done)
			if _, err := server.Write([]byte("x")); err == nil {
				t.Error("the connection is not closed")
			}
		})
	}
}

// The stream of the server ends before Linger waits for the client's.
func TestLingerHalfClose(t *testing.T) {
	server, client := connect(t, listen(t))
	bound(t, server, client)
	done := lingered(t, server, time.Time{})
	wantLast(t, client)
	select {
	case <-done:
		t.Error("Linger does not wait for the client")
	default:
	}
	_ = client.Close()
	wantDone(t, done)
}

// A client that never ends is not waited for after the time.
func TestLingerUntil(t *testing.T) {
	server, client := connect(t, listen(t))
	bound(t, server, client)
	wantDone(t, lingered(t, server, time.Now()))
	wantLast(t, client)
}

// Without a half-close the connection is closed at once.
func TestLingerWithoutHalfClose(t *testing.T) {
	server, client := net.Pipe()
	defer client.Close()
	New(server, nil, anyFrames()).Linger(time.Time{})
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("Read: %v, want %v", err, io.EOF)
	}
	if _, err := server.Read(make([]byte, 1)); err != io.ErrClosedPipe {
		t.Errorf("Read of the server: %v, want %v", err, io.ErrClosedPipe)
	}
}

// A connection that is broken already does not hold up Linger.
func TestLingerClosed(t *testing.T) {
	server, _ := connect(t, listen(t))
	tr := New(server, nil, anyFrames())
	_ = server.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		tr.Linger(time.Time{})
	}()
	wantDone(t, done)
}
