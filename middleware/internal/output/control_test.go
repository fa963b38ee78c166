package output

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

// kib100 is a frame of 100 KiB, which blocks its writer until the client reads.
var kib100 = "\x82\x7f\x00\x00\x00\x00\x00\x01\x8f\xf6" + strings.Repeat("a", 100<<10-10)

// blocked is an output whose client reads only when the test does.
type blocked struct {
	*Output
	server, client net.Conn
}

func newBlocked(batched bool) blocked {
	server, client := net.Pipe()
	tr := newOn(server, -1)
	_ = tr.SetBatched(batched, busy)
	return blocked{tr, server, client}
}

// write has another goroutine write and flush the pieces. It fails if that is done at once.
func (b blocked) write(t *testing.T, pieces ...string) (done <-chan struct{}) {
	t.Helper()
	written := make(chan struct{})
	go func() {
		defer close(written)
		writeFlush(t, b.Output, pieces...)
		_ = b.Release()
	}()
	synctest.Wait()
	select {
	case <-written:
		t.Fatal("the writer is not blocked")
	default:
	}
	return written
}

// wantReceived closes the connection once all is written, and compares what the client gets.
func (b blocked) wantReceived(t *testing.T, want string) {
	t.Helper()
	received := make(chan string)
	go func() {
		got, _ := io.ReadAll(b.client)
		received <- string(got)
	}()
	synctest.Wait()
	_ = b.server.Close()
	if got := <-received; got != want {
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		t.Errorf("the client gets %d bytes, want %d; from byte %d on %s, want %s",
			len(got), len(want), i, shorten(got[i:]), shorten(want[i:]))
	}
}

// blockedWriters are ways for a writer to be blocked.
var blockedWriters = []struct {
	name    string
	batched bool
	pieces  []string
}{
	{"in its only piece", false, []string{kib100}},
	{"in its last piece", false, []string{kib100[:10], kib100[10:]}},
	{"in the first of two pieces", false, []string{kib100[:90<<10], kib100[90<<10:]}},
	{"in the last of two pieces", false, []string{kib100[:60<<10], kib100[60<<10:]}},
	{"in the second of three pieces", false, []string{kib100[:50<<10], kib100[50<<10 : 98<<10], kib100[98<<10:]}},
	{"in Flush", false, []string{"\x81\x05", "hello"}},
	{"in Flush of frames", false, []string{"\x01\x05hello", "\x80\x05again"}},
	{"batched", true, []string{kib100}},
}

// A control frame does not wait for a writer. It is sent behind the frame of the writer.
func TestControlBehindBlockedWriter(t *testing.T) {
	for _, test := range blockedWriters {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBlocked(test.batched)
				done := b.write(t, test.pieces...)
				if !b.IsSending() {
					t.Error("not IsSending")
				}
				writeControl(t, b.Output, "\x8a\x01o")
				writeControl(t, b.Output, "\x89\x01i")
				b.wantReceived(t, strings.Join(test.pieces, "")+"\x8a\x01o\x89\x01i")
				<-done
				if b.IsSending() {
					t.Error("still IsSending")
				}
				if got, want := b.Sent(), uint64(len(strings.Join(test.pieces, ""))+6); got != want {
					t.Errorf("Sent is %d, want %d", got, want)
				}
			})
		})
	}
}

// Of many pongs only the last is sent, and kept.
func TestManyPongs(t *testing.T) {
	for _, test := range blockedWriters {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBlocked(test.batched)
				done := b.write(t, test.pieces...)
				payload := bytes.Repeat([]byte("p"), 125)
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				for range 100_000 {
					if err := b.Control(0xa, payload); err != nil {
						t.Fatal(err)
					}
				}
				writeControl(t, b.Output, "\x8a\x04last")
				runtime.GC()
				runtime.ReadMemStats(&after)
				if after.HeapAlloc > before.HeapAlloc+512<<10 {
					t.Errorf("the heap grows by %d bytes", after.HeapAlloc-before.HeapAlloc)
				}
				b.wantReceived(t, strings.Join(test.pieces, "")+"\x8a\x04last")
				<-done
			})
		})
	}
}

// A control frame waits for the end of the frame being written, wherever its writer is.
func TestControlWithinFrame(t *testing.T) {
	tr, out := newOutput(-1)
	writeFlush(t, tr, "\x81\x05", "he")
	writeControl(t, tr, "\x89\x01p")
	writeFlush(t, tr, "l")
	wantWrites(t, out, "\x81\x05he", "l")
	writeControl(t, tr, "\x8a\x01q")
	writeControl(t, tr, "\x89\x01r")
	writeFlush(t, tr, "lo")
	wantWrites(t, out, "\x81\x05he", "l", "lo\x8a\x01q\x89\x01r")
	writeControl(t, tr, "\x89\x00")
	wantWrites(t, out, "\x81\x05he", "l", "lo\x8a\x01q\x89\x01r", "\x89\x00")
}

// A control frame that finds no room in a full chunk is sent behind it.
func TestControlBehindFullChunk(t *testing.T) {
	for _, batched := range []bool{false, true} {
		tr, out := newOutput(-1)
		if err := tr.SetBatched(batched, busy); err != nil {
			t.Fatal(err)
		}
		full := "\x82\x7e\xff\xfc" + strings.Repeat("a", 64<<10-4)
		if _, err := tr.Write([]byte(full)); err != nil {
			t.Fatal(err)
		}
		writeControl(t, tr, "\x8a\x01p")
		writeControl(t, tr, "\x89\x01q")
		if batched {
			wantWrites(t, out)
			if err := tr.Release(); err != nil {
				t.Fatal(err)
			}
			wantWrites(t, out, full, "\x8a\x01p\x89\x01q") // both have waited
		} else {
			wantWrites(t, out, full, "\x8a\x01p", "\x89\x01q")
		}
	}
}
