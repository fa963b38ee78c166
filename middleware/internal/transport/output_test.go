package transport

import (
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWrites(t *testing.T) {
	a4, a70 := strings.Repeat("4", 4<<10), strings.Repeat("7", 70<<10)
	a300 := strings.Repeat("a", 300<<10)
	a64 := strings.Repeat(a4, 15) + a4[:4<<10-4]
	const head, binary = "\x81\x05", "\x82\x7f\x00\x00"
	for _, test := range []struct {
		name   string
		pieces []string
		want   []string
	}{
		{"nothing", nil, nil},
		{"one piece", []string{"\x81\x05hello"}, []string{"\x81\x05hello"}},
		{"header and payload", []string{head, "hello"}, []string{"\x81\x05hello"}},
		{"frames", []string{head, "hello", "\x8a\x00", head, "again"}, []string{"\x81\x05hello\x8a\x00\x81\x05again"}},
		{"a full chunk", []string{binary, a64}, []string{binary + a64}},
		{"a small piece that does not fit", []string{binary, a64, "x", "y"}, []string{binary + a64, "xy"}},
		{"a piece of 4 KiB that does not fit", []string{binary, a64, a4, "x"}, []string{binary + a64, a4 + "x"}},
		{"a piece that does not fit", []string{head, a64, a4 + "x"}, []string{head + a64, a4 + "x"}},
		{"larger than a chunk", []string{binary, a70}, []string{binary, a70}},
		{"larger than a chunk and more", []string{binary, a70, "x", "y"}, []string{binary, a70, "xy"}},
		{"larger than a write", []string{binary, a300}, []string{binary, a300[:256<<10-4], a300[256<<10-4:]}},
		{"larger than two writes", []string{a300 + a300}, []string{a300[:256<<10], a300[:256<<10], a300[:88<<10]}},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr, out := newOutput(-1)
			writeFlush(t, tr, test.pieces...)
			wantWrites(t, out, test.want...)
			writeFlush(t, tr)
			wantWrites(t, out, test.want...)
			if len(out.deadlines) > 0 {
				t.Errorf("%d deadlines without a timeout", len(out.deadlines))
			}
			if tr.out.chunk != nil {
				t.Error("a chunk is kept")
			}
		})
	}
}

func TestCompressNext(t *testing.T) {
	for _, test := range []struct {
		name   string
		pieces []string // after CompressNext
		want   string
	}{
		{"text", []string{"\x81\x01a", "\x81\x01a"}, "\xc1\x01a\x81\x01a"},
		{"binary", []string{"\x82\x01", "a", "\x82\x01", "a"}, "\xc2\x01a\x82\x01a"},
		{"fragments", []string{"\x01\x01a", "\x00\x01a", "\x80\x00", "\x81\x00"}, "\x41\x01a\x00\x01a\x80\x00\x81\x00"},
		{"control frames before", []string{"\x89\x00", "\x8a\x01a", "\x81\x00", "\x89\x00"}, "\x89\x00\x8a\x01a\xc1\x00\x89\x00"},
		{"a continuation before", []string{"\x80\x01a", "\x81\x00"}, "\x80\x01a\xc1\x00"},
		{"a payload like a header", []string{"\x81\x01", "\x81", "\x81\x00"}, "\xc1\x01\x81\x81\x00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr, out := newOutput(-1)
			tr.CompressNext()
			writeFlush(t, tr, test.pieces...)
			tr.CompressNext()
			writeFlush(t, tr, "\x8a\x00", "\x82\x00")
			wantWrites(t, out, test.want, "\x8a\x00\xc2\x00")
		})
	}
}

// sendHeld counts pieces. The first one is the answer to the handshake, which others write.
func TestSendHeld(t *testing.T) {
	tr, out := newOutput(-1)
	for i, test := range []struct {
		write func()
		want  int
	}{
		{func() {}, 1},
		{func() {}, 0},
		{func() { writeFlush(t, tr, "\x81\x01a") }, 1},
		{func() { writeFlush(t, tr, "\x81\x01", "a") }, 2},
		{func() { tr.CompressNext(); writeFlush(t, tr, "\x81\x01a") }, 2},
		{func() { _ = tr.SetBatched(true); writeFlush(t, tr, "\x81\x01a", "\x81\x01b", "\x81\x01c") }, 3},
	} {
		test.write()
		if got, err := tr.out.sendHeld(); got != test.want || err != nil {
			t.Errorf("round %d: %d pieces, %v, want %d", i, got, err, test.want)
		}
	}
	wantWrites(t, out, "\x81\x01a", "\x81\x01a", "\xc1\x01a", "\x81\x01a\x81\x01b\x81\x01c")
}

// The caller's bytes stay as they are.
func TestCompressNextCopies(t *testing.T) {
	tr, _ := newOutput(-1)
	tr.CompressNext()
	p := []byte("\x81\x00")
	if _, err := tr.Write(p); err != nil || string(p) != "\x81\x00" {
		t.Errorf("Write: %v, and the bytes are %q", err, p)
	}
	writeFlush(t, tr)
}

// Of what was held back, Release sends everything, and so does the end of batching.
func TestHolding(t *testing.T) {
	tr, out := newOutput(-1)
	set := func(batched bool) {
		if err := tr.SetBatched(batched); err != nil {
			t.Fatal(err)
		}
	}
	set(true)
	writeFlush(t, tr, "\x81\x01a")
	writeFlush(t, tr, "\x81\x01b")
	wantWrites(t, out)
	if err := tr.Release(); err != nil {
		t.Fatal(err)
	}
	wantWrites(t, out, "\x81\x01a\x81\x01b")
	writeFlush(t, tr, "\x81\x01c")
	wantWrites(t, out, "\x81\x01a\x81\x01b", "\x81\x01c")
	set(true)
	writeFlush(t, tr, "\x81\x01d")
	wantWrites(t, out, "\x81\x01a\x81\x01b", "\x81\x01c")
	set(false)
	writeFlush(t, tr, "\x81\x01e")
	wantWrites(t, out, "\x81\x01a\x81\x01b", "\x81\x01c", "\x81\x01d", "\x81\x01e")
}

// Even batched replies are sent when a chunk is full of them.
func TestHoldingTooMuch(t *testing.T) {
	tr, out := newOutput(-1)
	if err := tr.SetBatched(true); err != nil {
		t.Fatal(err)
	}
	half := "\x82\x7e\x80\x00" + strings.Repeat("h", 32<<10)
	writeFlush(t, tr, half)
	writeFlush(t, tr, half)
	wantWrites(t, out, half, half)
	writeFlush(t, tr, "\x81\x00")
	wantWrites(t, out, half, half)
}

// A deadline is set for each 256 KiB, unless the one before has three quarters of its time left.
func TestWriteDeadlines(t *testing.T) {
	const ms = time.Millisecond
	a := strings.Repeat("a", 256<<10)
	for _, test := range []struct {
		name   string
		pieces []string      // each one flushed
		delay  time.Duration // of each write
		want   []time.Duration
	}{
		{"small writes", []string{"a", "b", "c", "d", "e"}, 100 * ms, []time.Duration{1000 * ms, 1300 * ms}},
		{"slow writes", []string{"a", "b", "c"}, 900 * ms, []time.Duration{1000 * ms, 1900 * ms, 2800 * ms}},
		{"a large piece", []string{a + a + a}, 300 * ms, []time.Duration{1000 * ms, 1300 * ms, 1600 * ms}},
		{"a large piece taken at once", []string{a + a + a}, 0, []time.Duration{1000 * ms}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				tr, out := newOutput(time.Second)
				out.delay = test.delay
				for _, piece := range test.pieces {
					writeFlush(t, tr, piece)
				}
				var got []time.Duration
				for _, deadline := range out.deadlines {
					got = append(got, deadline.Sub(began))
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("deadlines %v, want %v", got, test.want)
				}
			})
		})
	}
}

// A client that does not read is given up after the timeout. One that reads slowly is not.
func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		defer server.Close()
		config := anyFrames()
		config.WriteTimeout = time.Second
		tr, began := New(server, nil, config), time.Now()
		read := make(chan int)
		go func() {
			p, total := make([]byte, 256<<10), 0
			for total < 1<<20 {
				n, err := client.Read(p)
				if total += n; err != nil {
					break
				}
				if n > 0 {
					time.Sleep(900 * time.Millisecond)
				}
			}
			read <- total
		}()
		writeFlush(t, tr, strings.Repeat("a", 1<<20))
		took := time.Since(began)
		if n := <-read; n != 1<<20 || took != 3*900*time.Millisecond {
			t.Errorf("%d bytes read, written within %v, want 2.7s", n, took)
		}
		time.Sleep(time.Minute)
		began = time.Now()
		_, _ = tr.Write([]byte("\x81\x00"))
		err := tr.Flush()
		if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took != time.Second {
			t.Errorf("Flush: %v after %v, want %v after 1s", err, took, os.ErrDeadlineExceeded)
		}
	})
}

// After an error nothing is written any more: the end of a frame would be taken for a new one.
func TestWriteErrors(t *testing.T) {
	broken := errors.New("broken")
	large := strings.Repeat("a", 70<<10)
	for _, test := range []struct {
		name  string
		out   sink
		write func(tr *Transport) error
	}{
		{"Flush", sink{err: broken}, func(tr *Transport) error { _, _ = tr.Write([]byte("a")); return tr.Flush() }},
		{"Release", sink{err: broken}, func(tr *Transport) error { _, _ = tr.Write([]byte("a")); return tr.Release() }},
		{"a large piece", sink{err: broken}, func(tr *Transport) error { _, err := tr.Write([]byte(large)); return err }},
		{"a piece that does not fit", sink{err: broken}, func(tr *Transport) error {
			_, _ = tr.Write([]byte(large[:64<<10]))
			_, err := tr.Write([]byte("a"))
			return err
		}},
		{"the deadline", sink{deadlineErr: broken}, func(tr *Transport) error { _, _ = tr.Write([]byte("a")); return tr.Flush() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := anyFrames()
			config.WriteTimeout = time.Second
			tr := New(&test.out, nil, config)
			if err := test.write(tr); err != broken {
				t.Errorf("got %v, want %v", err, broken)
			}
			test.out.err, test.out.deadlineErr = nil, nil
			if n, err := tr.Write([]byte("b")); n != 0 || err != broken {
				t.Errorf("the next Write: %d, %v, want %v", n, err, broken)
			}
			_, later := tr.Write([]byte(large))
			for i, err := range []error{later, tr.Flush(), tr.Release(), tr.SetBatched(false)} {
				if err != broken {
					t.Errorf("error %d afterwards: %v, want %v", i, err, broken)
				}
			}
			if err := tr.SetBatched(true); err != nil {
				t.Errorf("SetBatched: %v", err)
			}
			if err := tr.Flush(); err != broken {
				t.Errorf("Flush while writes are held back: %v, want %v", err, broken)
			}
			wantWrites(t, &test.out)
		})
	}
}
