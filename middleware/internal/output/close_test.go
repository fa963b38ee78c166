package output

import (
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// WriteClose waits for the end of a frame, and nothing is written after it.
func TestCloseWithinFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, out := newOutput(-1)
		writeFlush(t, tr, "\x81\x05", "he")
		done := make(chan error, 1)
		go func() { done <- tr.Close([]byte("\x03\xe8")) }()
		synctest.Wait()
		wantWrites(t, out, "\x81\x05he")
		if len(done) > 0 {
			t.Fatal("WriteClose does not wait")
		}
		if err := tr.Control(0x9, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("WriteControl: %v, want %v", err, ErrClosed)
		}
		writeFlush(t, tr, "l")
		writeFlush(t, tr, "lo")
		if err := <-done; err != nil {
			t.Errorf("WriteClose: %v", err)
		}
		if got := strings.Join(out.writes, ""); got != "\x81\x05hello\x88\x02\x03\xe8" {
			t.Errorf("written %q", got)
		}
		wantClosed(t, tr)
	})
}

// wantClosed has something be written in each way after the close frame.
func wantClosed(t *testing.T, tr *Output) {
	t.Helper()
	n, err := tr.Write([]byte("\x81\x00"))
	for i, err := range []error{
		err, tr.Control(0x9, nil), tr.Control(0xa, []byte("a")), tr.Close(nil),
	} {
		if n != 0 || !errors.Is(err, ErrClosed) || !errors.Is(err, net.ErrClosed) {
			t.Errorf("write %d: %d, %v, want %v", i, n, err, ErrClosed)
		}
	}
	if err := tr.Flush(); err != nil {
		t.Errorf("Flush: %v", err)
	}
}

// WriteClose waits for a writer that is blocked, and for its frame.
func TestCloseBehindBlockedWriter(t *testing.T) {
	for _, test := range blockedWriters {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBlocked(test.batched)
				written := b.write(t, test.pieces...)
				writeControl(t, b.Output, "\x89\x01i")
				done := make(chan time.Duration, 1)
				go func() {
					took, err := after(func() error { return b.Close([]byte("\x03\xe8bye")) })
					if err != nil {
						t.Errorf("WriteClose: %v", err)
					}
					done <- took
				}()
				synctest.Wait()
				if err := b.Control(0xa, nil); err != ErrClosed {
					t.Errorf("WriteControl: %v, want %v", err, ErrClosed)
				}
				time.Sleep(time.Second)
				b.wantReceived(t, strings.Join(test.pieces, "")+"\x89\x01i\x88\x05\x03\xe8bye")
				if took := <-done; took != time.Second {
					t.Errorf("WriteClose has returned after %v, want 1s", took)
				}
				<-written
				wantClosed(t, b.Output)
			})
		})
	}
}

// The connection can be closed while batched replies are held back.
func TestCloseWhileHolding(t *testing.T) {
	tr, out := newOutput(-1)
	if err := tr.SetBatched(true, busy); err != nil {
		t.Fatal(err)
	}
	writeFlush(t, tr, "\x81\x01a")
	writeControl(t, tr, "\x8a\x00")
	if err := tr.Close(nil); err != nil {
		t.Fatal(err)
	}
	wantWrites(t, out, "\x81\x01a\x8a\x00\x88\x00")
	wantClosed(t, tr)
}
