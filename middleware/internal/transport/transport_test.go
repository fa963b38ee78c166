package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/wsecho/middleware/internal/frame"
)

const ms = time.Millisecond

func TestRead(t *testing.T) {
	payload := strings.Repeat("0123456789", largeSize/10)
	for _, test := range []struct {
		name  string
		early string   // given to New
		sent  []string // over the connection, which the client then closes
		want  string
		err   string
	}{
		{"nothing", "", nil, "", "EOF"},
		{"a message", "", []string{hello}, hello, "EOF"},
		{"a message in pieces", "", []string{hello[:1], hello[1:7], hello[7:]}, hello, "EOF"},
		{"early bytes", hello, nil, hello, "EOF"},
		{"early bytes and more", hello[:3], []string{hello[3:], hello}, hello + hello, "EOF"},
		{"large", large, []string{payload, hello}, large + payload + hello, "EOF"},
		{"control frames", pingA, []string{pong, hello}, pingA + pong + hello, "EOF"},
		{"compressed", "\xc1\x80\x01\x02\x03\x04", []string{"\xc2\x80\x01\x02\x03\x04"}, "\x81\x80\x01\x02\x03\x04\x82\x80\x01\x02\x03\x04", "EOF"},
		{"violation", "", []string{hello + "\x91" + hello}, hello, "violation 1002: reserved bit set"},
		{"violation alone", "", []string{"\x91"}, "", "violation 1002: reserved bit set"},
		{"early violation", hello + "\x83", []string{hello}, hello, "violation 1002: reserved opcode 3"},
		{"violation in the second byte", hello, []string{"\x81", "\x05"}, hello + "\x81", "violation 1002: unmasked frame"},
		{"close", "", []string{hello, closeDone, hello}, hello, `closed 1000 ""`},
		{"close in pieces", hello, []string{closeBye[:1], closeBye[1:4], closeBye[4:9], closeBye[9:]}, hello, `closed 4000 "bye"`},
		{"early close", hello + closeBye, []string{hello}, hello, `closed 4000 "bye"`},
		{"close without a code", "\x88\x80", []string{"\x01\x02\x03\x04"}, "", `closed 1005 ""`},
		{"an end within a close", hello, []string{closeBye[:8]}, hello, "EOF"},
	} {
		for _, descriptor := range []bool{true, false} {
			for _, size := range []int{1, 288, 20 << 10} {
				t.Run(fmt.Sprintf("%s/%v/%d", test.name, descriptor, size), func(t *testing.T) {
					server, client := pair(t, descriptor)
					bound(t, server, client)
					go sendAll(client, test.sent)
					tr := New(server, []byte(test.early), anyFrames())
					got, err := read(tr, size)
					if got != test.want || describe(err) != test.err {
						t.Errorf("got %s, %s, want %s, %s", shorten(got), describe(err), shorten(test.want), test.err)
					}
					if n, again := tr.Read(make([]byte, size)); n != 0 || describe(again) != test.err {
						t.Errorf("the next Read: %d, %v, want the same error", n, again)
					}
					if tr.in.chunk != nil {
						t.Error("a chunk is kept after the end")
					}
				})
			}
		}
	}
}

// sendAll sends the pieces and ends the stream.
func sendAll(client net.Conn, pieces []string) {
	for _, piece := range pieces {
		if _, err := io.WriteString(client, piece); err != nil {
			return // A violation has ended the test.
		}
	}
	if half, ok := client.(*net.TCPConn); ok {
		_ = half.CloseWrite()
		return
	}
	_ = client.Close()
}

// A message goes through a buffer, which only a connection without a descriptor keeps.
func TestReadBuffers(t *testing.T) {
	for _, test := range []struct {
		descriptor bool
		size       int // of the read
		rest       int // in the buffer afterwards
		chunk, own bool
	}{
		{true, 1, len(hello) - 1, true, false},
		{true, len(hello), 0, false, false},
		{true, 16<<10 - 1, 0, false, false},
		{true, 16 << 10, 0, false, false},
		{false, 1, len(hello) - 1, false, true},
		{false, 16<<10 - 1, 0, false, true},
		{false, 16 << 10, 0, false, true},
	} {
		t.Run(fmt.Sprint(test.descriptor, test.size), func(t *testing.T) {
			server, client := pair(t, test.descriptor)
			bound(t, server, client)
			go sendAll(client, []string{hello})
			tr := New(server, nil, anyFrames())
			p := make([]byte, test.size)
			if n, err := tr.Read(p); n != len(hello)-test.rest || err != nil {
				t.Fatalf("Read: %d, %v, want %d", n, err, len(hello)-test.rest)
			}
			if got := len(tr.in.unread); got != test.rest {
				t.Errorf("%d bytes in a buffer, want %d", got, test.rest)
			}
			if chunk, own := tr.in.chunk != nil, tr.in.own != nil; chunk != test.chunk || own != test.own {
				t.Errorf("has chunk %v, own buffer %v, want %v, %v", chunk, own, test.chunk, test.own)
			}
		})
	}
}

// Compressed and InMessage are about the message being read, whatever has arrived behind it.
func TestMessages(t *testing.T) {
	const compressed, plain = "\xc1\x80\x01\x02\x03\x04", "\x82\x80\x01\x02\x03\x04"
	const begun, fragment = "\x41\x81\x01\x02\x03\x04a", "\x80\x81\x01\x02\x03\x04"
	server, client := pair(t, true)
	bound(t, server, client)
	tr := New(server, []byte(compressed+plain), anyFrames())
	if tr.InMessage() {
		t.Error("InMessage before the first message")
	}
	go sendAll(client, []string{begun, pingA, fragment})
	p := make([]byte, 288)
	for i, want := range []string{"\x81" + compressed[1:], plain} {
		n, err := tr.Read(p)
		if string(p[:n]) != want || err != nil {
			t.Errorf("message %d: %q, %v, want %q", i, p[:n], err, want)
		}
		if tr.Compressed() != (i == 0) || tr.InMessage() {
			t.Errorf("message %d: Compressed %v, InMessage %v", i, tr.Compressed(), tr.InMessage())
		}
	}
	if got, err := read(tr, 288); got != "\x01"+begun[1:]+pingA+fragment || err != io.EOF {
		t.Fatalf("the last message: %q, %v", got, err)
	}
	if !tr.Compressed() || !tr.InMessage() {
		t.Error("not in a compressed message, though the last payload is to come")
	}
}

// A connection that may have a Read of its own is read from as one without a descriptor.
func TestOwnRead(t *testing.T) {
	server, client := pair(t, true)
	bound(t, server, client)
	config := anyFrames()
	config.IdleAfter = time.Nanosecond // The connection cannot be parked.
	counting := &countingConn{TCPConn: server.(*net.TCPConn)}
	tr := New(counting, nil, config)
	go sendAll(client, []string{hello})
	if err := tr.Await(true); err != nil {
		t.Fatal(err)
	}
	if got, err := read(tr, 288); got != hello || err != io.EOF {
		t.Errorf("got %q, %v", got, err)
	}
	if counting.bytes != len(hello) {
		t.Errorf("the Read of the connection has read %d bytes, want %d", counting.bytes, len(hello))
	}
}

// countingConn counts the bytes read.
type countingConn struct {
	*net.TCPConn
	bytes int
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	c.bytes += n
	return n, err
}

// A connection whose descriptor cannot be had is read from as one without.
func TestNoDescriptor(t *testing.T) {
	config := anyFrames()
	config.IdleAfter = time.Nanosecond
	for _, conn := range []net.Conn{new(net.TCPConn), new(net.UnixConn)} {
		tr := New(conn, []byte(hello), config)
		if got, err := read(tr, 288); got != hello || !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%T: got %q, %v", conn, got, err)
		}
	}
}

// The guard is the one of the configuration.
func TestGuard(t *testing.T) {
	config := anyFrames()
	config.Guard = frame.NewGuard(false, 4)
	tr := New(nil, []byte(hello), config)
	got, err := read(tr, 288)
	const want = "violation 1009: message larger than 4 bytes"
	if got != hello[:1] || describe(err) != want {
		t.Errorf("got %q, %s, want %q, %s", got, describe(err), hello[:1], want)
	}
}

// A read of no bytes returns at once, whatever there is to read.
func TestReadNothing(t *testing.T) {
	for _, received := range []string{"", hello, "\x91", closeDone} {
		tr := New(nil, []byte(received), anyFrames())
		if n, err := tr.Read(nil); n != 0 || err != nil {
			t.Errorf("received %q: Read: %d, %v", received, n, err)
		}
	}
}
