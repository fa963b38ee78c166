//go:build unix

package transport

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// A large read of payload goes straight to where the caller wants it, up to the end of the frame.
// Others go through a buffer.
func TestDirectRead(t *testing.T) {
	const kib16 = "\x82\xfe\x40\x00\x01\x02\x03\x04" // the header of 16 KiB
	payload := strings.Repeat("0123456789abcdef", 1<<10)
	for _, test := range []struct {
		name     string
		received string // and read before
		sent     string
		size     int // of the read
		direct   bool
	}{
		{"a large one", kib16, payload, 20 << 10, true},
		{"with a message behind it", kib16, payload + hello, 20 << 10, true},
		{"of all that is to come", kib16, payload, 16 << 10, true},
		{"of a part", large, payload, 16 << 10, true},
		{"a small one", kib16, payload, 16<<10 - 1, false},
		{"of a small payload", kib16 + "0", payload[1:] + hello, 20 << 10, false},
		{"of a header", "", kib16 + payload, 20 << 10, false},
		{"behind a message", hello, kib16 + payload, 20 << 10, false},
	} {
		for _, hidden := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", test.name, hidden), func(t *testing.T) {
				conn := newMemConn(t)
				tr := newRaw(conn.hide(hidden), []byte(test.received), anyFrames())
				if _, err := io.ReadFull(tr, make([]byte, len(test.received))); err != nil {
					t.Fatal(err)
				}
				conn.send(test.sent)
				p := make([]byte, test.size)
				n, err := tr.Read(p)
				if n == 0 || err != nil || string(p[:n]) != test.sent[:n] {
					t.Fatalf("Read: %d bytes, %v", n, err)
				}
				if test.direct && n != 16<<10 {
					t.Errorf("Read of %d bytes, want all in one", n)
				}
				if tr.in.own != nil != (hidden && !test.direct) {
					t.Errorf("has an own buffer: %v", tr.in.own != nil)
				}
				if test.direct && tr.in.chunk != nil {
					t.Error("has a chunk")
				}
				conn.end()
				rest, err := read(tr, 288)
				if rest != test.sent[n:] || err != io.EOF {
					t.Errorf("then %s, %v, want %s", shorten(rest), err, shorten(test.sent[n:]))
				}
			})
		}
	}
}
