//go:build unix

package transport

import (
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware/internal/buffer"
)

// A client that has sent as much as fits into a read has probably more. Replies to it are held
// back until that is known, and sent even if it is the end.
func TestFullRead(t *testing.T) {
	full := "\x82\xfe\xff\xf8\x01\x02\x03\x04" + string(make([]byte, 0xfff8))
	if len(full) != buffer.ChunkSize {
		t.Fatalf("the message has %d bytes, a chunk %d", len(full), buffer.ChunkSize)
	}
	for _, test := range []struct {
		name string
		then func(c *memConn)
		want error // of Await

		written []string // by then
	}{
		{"the end", (*memConn).end, io.EOF, []string{"\x81\x01."}},
		{"a message", func(c *memConn) { c.send(hello) }, nil, nil},
		{"nothing", func(c *memConn) { time.AfterFunc(time.Hour, c.end) }, io.EOF, []string{"\x81\x01."}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := newMemConn(t)
				tr := newRaw(conn, nil, anyFrames())
				if err := tr.SetBatched(true); err != nil {
					t.Fatal(err)
				}
				conn.send(full)
				if err := tr.Await(true); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(tr, make([]byte, len(full))); err != nil {
					t.Fatal(err)
				}
				writeFlush(t, tr, "\x81\x01.")
				test.then(conn)
				done := make(chan error, 1)
				go func() { done <- tr.Await(true) }()
				synctest.Wait()
				if got := conn.writes; !slices.Equal(got, test.written) {
					t.Errorf("written %q, want %q", got, test.written)
				}
				if err := <-done; err != test.want {
					t.Errorf("Await: %v, want %v", err, test.want)
				}
			})
		})
	}
}
