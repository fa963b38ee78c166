package transport

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// kib100 is a frame of 100 KiB, which blocks its writer until the client reads.
var kib100 = "\x82\x7f\x00\x00\x00\x00\x00\x01\x8f\xf6" + strings.Repeat("a", 100<<10-10)

// blocked is a transport whose client reads only when the test does.
type blocked struct {
	*Transport
	client net.Conn
}

func newBlocked(batched bool) blocked {
	server, client := net.Pipe()
	tr := New(server, nil, anyFrames())
	_ = tr.SetBatched(batched)
	return blocked{tr, client}
}

// The reader answers pings and reads on while a writer is blocked.
func TestReadWhileWriterBlocked(t *testing.T) {
	for _, test := range []struct {
		name   string
		pieces []string
	}{
		{"in its only piece", []string{kib100}},
		{"in its last piece", []string{kib100[:10], kib100[10:]}},
		{"in the first of two pieces", []string{kib100[:90<<10], kib100[90<<10:]}},
		{"in Flush", []string{"\x81\x05", "hello"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBlocked(false)
				b.owner = &pongOwner{tr: b.Transport}
				done := make(chan struct{})
				go func() {
					defer close(done)
					writeFlush(t, b.Transport, test.pieces...)
				}()
				synctest.Wait()
				go func() {
					for range 3 {
						_, _ = io.WriteString(b.client, pingA+hello+hello)
					}
				}()
				for i := range 6 {
					if err := b.Await(true); err != nil {
						t.Fatal(err)
					}
					p := make([]byte, 288)
					if n, err := b.Read(p); string(p[:n]) != hello || err != nil {
						t.Errorf("message %d: %q, %v", i, p[:n], err)
					}
				}
				if !b.IsSending() {
					t.Error("the writer is not blocked any more")
				}
				want := strings.Join(test.pieces, "") + "\x8a\x01a"
				got := make([]byte, len(want))
				if _, err := io.ReadFull(b.client, got); string(got) != want || err != nil {
					t.Errorf("the client gets %s, %v, want %s", shorten(string(got)), err, shorten(want))
				}
				<-done
				_ = b.Close()
			})
		})
	}
}

// pongOwner answers pings.
type pongOwner struct {
	owner
	tr *Transport
}

func (o *pongOwner) Ping(payload string) error { return o.tr.WriteControl(0xa, []byte(payload)) }

// If replies are batched, the reader takes no more while the client takes none.
func TestBatchedBackpressure(t *testing.T) {
	for _, test := range []struct {
		name    string
		pieces  []string
		flushed bool // by the reader
	}{
		{"a writer is blocked", []string{kib100}, false},
		{"the reader is blocked", []string{"\x81\x05hello"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBlocked(true)
				written := make(chan struct{})
				go func() {
					defer close(written)
					writeFlush(t, b.Transport, test.pieces...)
				}()
				synctest.Wait()
				if b.IsSending() == test.flushed {
					t.Errorf("IsSending: %v", b.IsSending())
				}
				go func() { _, _ = io.WriteString(b.client, hello) }()
				done := make(chan error, 1)
				go func() { done <- b.Await(true) }()
				synctest.Wait()
				if len(done) > 0 {
					t.Errorf("Await does not wait: %v", <-done)
				}
				if !b.IsSending() {
					t.Error("not IsSending")
				}
				want := strings.Join(test.pieces, "")
				got := make([]byte, len(want))
				if _, err := io.ReadFull(b.client, got); string(got) != want || err != nil {
					t.Errorf("the client gets %s, %v, want %s", shorten(string(got)), err, shorten(want))
				}
				if err := <-done; err != nil {
					t.Errorf("Await: %v", err)
				}
				<-written
				_ = b.Close()
			})
		})
	}
}

// A write timeout within a read ends the read: it is not taken for a timeout of the read.
func TestWriteTimeoutWhileReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		config := anyFrames()
		config.WriteTimeout = 10 * time.Second
		tr := New(server, nil, config)
		if err := tr.SetBatched(true); err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.WriteString(client, "\x01\x85\x01\x02\x03\x04hel") }() // not all of a message
		if err := tr.Await(true); err != nil {
			t.Fatal(err)
		}
		writeFlush(t, tr, "\x81\x01a") // held back until the reader waits
		began := time.Now()
		_, err := io.ReadFull(tr, make([]byte, 100))
		if took := time.Since(began); took != 10*time.Second || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read: %v after %v", err, took)
		}
	})
}
