package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

func TestAwait(t *testing.T) {
	const (
		broken = "violation 1002: reserved bit set"
		closed = `closed 1000 ""`
	)
	for _, test := range []struct {
		name  string
		early string
		sent  []string
		err   string // of Await
		pings []string
		left  string // to be read after Await
	}{
		{"a message", "", []string{hello}, "<nil>", nil, hello},
		{"the end", "", nil, "EOF", nil, ""},
		{"an early message", hello, nil, "<nil>", nil, hello},
		{"pings", "", []string{pingA + pingB + hello}, "<nil>", []string{"a", "b"}, hello},
		{"early pings", pingA + pong, []string{pingB, hello}, "<nil>", []string{"a", "b"}, hello},
		{"pongs", "", []string{pong, pong + pingB, pong + hello + pingA}, "<nil>", []string{"b"}, hello + pingA},
		{"a ping and the end", pingA, nil, "EOF", []string{"a"}, ""},
		{"a part of a message", hello[:1], []string{hello[1:]}, "<nil>", nil, hello},
		{"a part of a ping", pingA + pingB[:6], []string{pingB[6:]}, "<nil>", []string{"a"}, pingB},
		{"a violation", pingA, []string{"\x91"}, broken, []string{"a"}, ""},
		{"an early violation", "\x91", nil, broken, nil, ""},
		{"a ping with a violation", "", []string{pingA + "\x91"}, broken, []string{"a"}, ""},
		{"a close", pingA, []string{closeDone}, closed, []string{"a"}, ""},
		{"a ping with a close", "", []string{pingA + closeDone}, closed, []string{"a"}, ""},
		{"a message with a close", "", []string{hello + closeDone}, "<nil>", nil, hello},
	} {
		for _, descriptor := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%v", test.name, descriptor), func(t *testing.T) {
				server, client := pair(t, descriptor)
				bound(t, server, client)
				go sendAll(client, test.sent)
				config, o := anyFrames(), new(owner)
				config.Owner = o
				tr := New(server, []byte(test.early), config)
				if err := tr.Await(true); describe(err) != test.err {
					t.Errorf("Await: %v, want %s", err, test.err)
				}
				if !slices.Equal(o.pings, test.pings) {
					t.Errorf("pings %q, want %q", o.pings, test.pings)
				}
				if left, _ := read(tr, 288); left != test.left {
					t.Errorf("left %q, want %q", left, test.left)
				}
			})
		}
	}
}

// Await ends with the error of the owner, who could not answer a ping.
func TestAwaitPingError(t *testing.T) {
	o := &owner{pingErr: errors.New("no pong")}
	config := anyFrames()
	config.Owner = o
	tr := New(nil, []byte(pingA+hello), config)
	if err := tr.Await(true); err != o.pingErr {
		t.Errorf("Await: %v, want %v", err, o.pingErr)
	}
}

// Await sends the replies before it waits, and ends with the error of that.
func TestAwaitWriteError(t *testing.T) {
	for _, descriptor := range []bool{true, false} {
		server, _ := pair(t, descriptor)
		bound(t, server)
		closed, _ := net.Pipe()
		_ = closed.Close()
		tr := New(server, nil, anyFrames())
		tr.out.Init(closed, -1)
		if err := tr.SetBatched(true); err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Write([]byte("\x81\x00")); err != nil {
			t.Fatal(err)
		}
		if err := tr.Await(true); err != io.ErrClosedPipe {
			t.Errorf("Await: %v, want %v", err, io.ErrClosedPipe)
		}
	}
}

// sink is a connection that notes what is written to it.
type sink struct {
	net.Conn // nil, so that nothing else may be called
	writes   []string
}

func (s *sink) Write(p []byte) (int, error) {
	s.writes = append(s.writes, string(p))
	return len(p), nil
}

// Replies to messages that have come together leave together, once the reader has to wait.
func TestBatched(t *testing.T) {
	const reply = "\x81\x01."
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		tr, out := New(server, nil, anyFrames()), &sink{}
		tr.out.Init(out, -1)
		if err := tr.SetBatched(true); err != nil {
			t.Fatal(err)
		}
		go func() {
			defer server.Close()
			for tr.Await(true) == nil {
				p := make([]byte, len(hello))
				if _, err := io.ReadFull(tr, p); err != nil {
					return
				}
				before := len(out.writes)
				writeFlush(t, tr, reply)
				if len(out.writes) != before {
					t.Error("a reply is sent while the reader is busy")
				}
			}
		}()
		for _, test := range []struct{ sent, want string }{
			{hello, reply},
			{hello + hello + hello, reply + reply + reply},
			{hello + pingA + pong + hello, reply + reply},
			{hello, reply},
		} {
			_, _ = io.WriteString(client, test.sent)
			synctest.Wait()
			if got := strings.Join(out.writes, "|"); got != test.want {
				t.Errorf("sent %q, want %q", got, test.want)
			}
			out.writes = nil
		}
		writeFlush(t, tr, reply) // by somebody else, while the reader waits
		if got := strings.Join(out.writes, "|"); got != reply {
			t.Errorf("sent %q, want %q", got, reply)
		}
		_ = client.Close()
	})
}

func writeFlush(t *testing.T, tr *Transport, frames ...string) {
	t.Helper()
	for _, f := range frames {
		if n, err := tr.Write([]byte(f)); n != len(f) || err != nil {
			t.Fatalf("Write of %d bytes: %d, %v", len(f), n, err)
		}
	}
	if err := tr.Flush(); err != nil {
		t.Fatalf("Flush: %v", err)
	}
}
