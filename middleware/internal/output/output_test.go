package output

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestWrites(t *testing.T) {
	const kib = 1 << 10
	as := func(n int) string { return strings.Repeat("a", n) }
	const head = "\x81\x05"
	full := "\x82\x7e\xff\xfc" + as(64*kib-4)                    // fills a chunk
	const most = "\x82\x7e\xff\xfe"                              // the same and two bytes
	const kib4 = "\x82\x7e\x0f\xfd"                              // 4 KiB and a byte
	const kib70 = "\x82\x7f\x00\x00\x00\x00\x00\x01\x18\x00"     // 70 KiB of payload
	const kib70and2 = "\x82\x7f\x00\x00\x00\x00\x00\x01\x18\x02" // and two bytes
	const kib300 = "\x82\x7f\x00\x00\x00\x00\x00\x04\xb0\x00"
	const kib600 = "\x82\x7f\x00\x00\x00\x00\x00\x09\x60\x00"
	for _, test := range []struct {
		name   string
		pieces []string
		want   []string
	}{
		{"nothing", nil, nil},
		{"one piece", []string{"\x81\x05hello"}, []string{"\x81\x05hello"}},
		{"header and payload", []string{head, "hello"}, []string{"\x81\x05hello"}},
		{"frames", []string{head, "hello", "\x8a\x00", head, "again"}, []string{"\x81\x05hello\x8a\x00\x81\x05again"}},
		{"a payload like a close frame", []string{"\x81\x02", "\x88\x00", "\x81\x00"}, []string{"\x81\x02\x88\x00\x81\x00"}},
		{"a full chunk", []string{full[:4], full[4:]}, []string{full}},
		{"a small piece that does not fit", []string{most, full[4:], "x", "y"}, []string{most + full[4:], "xy"}},
		{"a piece of 4 KiB that does not fit", []string{full, kib4 + as(4*kib-4), "x"}, []string{full, kib4 + as(4*kib-4) + "x"}},
		{"a piece that does not fit", []string{full, kib4 + as(4*kib-3)}, []string{full, kib4 + as(4*kib-3)}},
		{"larger than a chunk", []string{kib70, as(70 * kib)}, []string{kib70, as(64*kib - 10), as(6*kib + 10)}},
		{"larger than a chunk and more", []string{kib70and2, as(70 * kib), "x", "y"}, []string{kib70and2, as(64*kib - 10), as(6*kib + 10), "xy"}},
		{"larger than writes", []string{kib300, as(300 * kib)}, []string{kib300, as(64*kib - 10), as(64 * kib), as(64 * kib), as(64 * kib), as(44*kib + 10)}},
		{"larger than writes in one piece", []string{kib600 + as(600*kib)}, []string{kib600 + as(64*kib-10), as(64 * kib), as(64 * kib), as(64 * kib), as(64 * kib), as(64 * kib), as(64 * kib), as(64 * kib), as(64 * kib), as(24*kib + 10)}},
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
			if tr.chunk != nil {
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
		{"a control frame within", []string{"\x81\x01", "\x8a\x01p", "a"}, "\xc1\x01a\x8a\x01p"},
		{"a payload like a header", []string{"\x81\x01", "\x81", "\x81\x00"}, "\xc1\x01\x81\x81\x00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr, out := newOutput(-1)
			for _, pieces := range [][]string{test.pieces, {"\x8a\x00", "\x82\x00"}} {
				if err := tr.SetBatched(true, busy); err != nil {
					t.Fatal(err)
				}
				tr.CompressNext()
				for _, piece := range pieces {
					if piece[0] > 0x88 {
						writeControl(t, tr, piece)
					} else {
						writeFlush(t, tr, piece)
					}
				}
				if err := tr.SetBatched(false, busy); err != nil {
					t.Fatal(err)
				}
			}
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
		{func() { _ = tr.SetBatched(true, busy); writeFlush(t, tr, "\x81\x01a", "\x81\x01b", "\x81\x01c") }, 3},
		{func() { _ = tr.SetBatched(false, busy); writeControl(t, tr, "\x8a\x00") }, 1},
		{func() { tr.CompressNext(); writeFlush(t, tr, "\x81\x01", "a") }, 2},
	} {
		test.write()
		if got, err := tr.SendHeld(); got != test.want || err != nil {
			t.Errorf("round %d: %d pieces, %v, want %d", i, got, err, test.want)
		}
	}
	wantWrites(t, out, "\x81\x01a", "\x81\x01a", "\xc1\x01a", "\x81\x01a\x81\x01b\x81\x01c", "\x8a\x00", "\xc1\x01a")
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

// Of what was held back, the reader sends everything when it waits, and so does the end of batching.
func TestHolding(t *testing.T) {
	tr, out := newOutput(-1)
	set := func(batched bool) {
		if err := tr.SetBatched(batched, busy); err != nil {
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
	if _, err := tr.SendHeld(); err != nil {
		t.Fatal(err)
	}
	writeFlush(t, tr, "\x81\x01d")
	wantWrites(t, out, "\x81\x01a\x81\x01b", "\x81\x01c")
	set(false)
	writeFlush(t, tr, "\x81\x01e")
	wantWrites(t, out, "\x81\x01a\x81\x01b", "\x81\x01c", "\x81\x01d", "\x81\x01e")
}

// Even batched replies are sent when a chunk is full of them.
func TestHoldingTooMuch(t *testing.T) {
	tr, out := newOutput(-1)
	if err := tr.SetBatched(true, busy); err != nil {
		t.Fatal(err)
	}
	half := "\x82\x7e\x80\x00" + strings.Repeat("h", 32<<10)
	writeFlush(t, tr, half)
	writeFlush(t, tr, half)
	first, second := half[:64<<10-len(half)], half[64<<10-len(half):]
	wantWrites(t, out, half, first, second)
	writeFlush(t, tr, "\x81\x00")
	wantWrites(t, out, half, first, second)
}

// After an error nothing is written any more: the end of a frame would be taken for a new one.
func TestWriteErrors(t *testing.T) {
	broken := errors.New("broken")
	large := "\x82\x7f\x00\x00\x00\x00\x00\x01\x18\x00" + strings.Repeat("a", 70<<10)
	full := "\x82\x7e\xff\xfc" + strings.Repeat("a", 64<<10-4)
	a := []byte("\x81\x01a")
	for _, test := range []struct {
		name  string
		out   sink
		write func(tr *Output) error
	}{
		{"Flush", sink{err: broken}, func(tr *Output) error { _, _ = tr.Write(a); return tr.Flush() }},
		{"the reader", sink{err: broken}, func(tr *Output) error {
			_ = tr.SetBatched(true, busy)
			_, _ = tr.Write(a)
			return tr.Release()
		}},
		{"the end of batching", sink{err: broken}, func(tr *Output) error {
			_ = tr.SetBatched(true, busy)
			_, _ = tr.Write(a)
			return tr.SetBatched(false, busy)
		}},
		{"a large piece", sink{err: broken}, func(tr *Output) error { _, err := tr.Write([]byte(large)); return err }},
		{"a large compressed piece", sink{err: broken}, func(tr *Output) error {
			tr.CompressNext()
			_, err := tr.Write([]byte(large))
			return err
		}},
		{"a piece that does not fit", sink{err: broken}, func(tr *Output) error {
			_, _ = tr.Write([]byte(full))
			_, err := tr.Write(a)
			return err
		}},
		{"a header that does not fit", sink{err: broken}, func(tr *Output) error {
			_, _ = tr.Write([]byte(full))
			tr.CompressNext()
			_, err := tr.Write(a)
			return err
		}},
		{"WriteControl", sink{err: broken}, func(tr *Output) error { return tr.Control(0x9, nil) }},
		{"the deadline", sink{deadlineErr: broken}, func(tr *Output) error { _, _ = tr.Write(a); return tr.Flush() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := struct{ WriteTimeout time.Duration }{-1}
			config.WriteTimeout = time.Second
			tr := newOn(&test.out, config.WriteTimeout)
			if err := test.write(tr); err != broken {
				t.Errorf("got %v, want %v", err, broken)
			}
			test.out.err, test.out.deadlineErr = nil, nil
			if n, err := tr.Write(a); n != 0 || err != broken {
				t.Errorf("the next Write: %d, %v, want %v", n, err, broken)
			}
			_, later := tr.Write([]byte(large))
			for i, err := range []error{
				later, tr.Flush(), tr.Release(), tr.SetBatched(false, busy),
				tr.Control(0x9, nil), tr.Control(0xa, nil), tr.Close(nil),
			} {
				if err != broken {
					t.Errorf("error %d afterwards: %v, want %v", i, err, broken)
				}
			}
			if err := tr.SetBatched(true, busy); err != nil {
				t.Errorf("SetBatched: %v", err)
			}
			if err := tr.Flush(); err != broken {
				t.Errorf("Flush while writes are held back: %v, want %v", err, broken)
			}
			wantWrites(t, &test.out)
		})
	}
}

// A piece may be empty, before, within or after a frame.
func TestWriteNothing(t *testing.T) {
	tr, out := newOutput(-1)
	writeFlush(t, tr, "", "\x81\x02", "", "ab", "")
	writeFlush(t, tr)
	wantWrites(t, out, "\x81\x02ab")
}

// A header is changed even if so much follows that nothing is copied.
func TestCompressNextLarge(t *testing.T) {
	tr, out := newOutput(-1)
	tr.CompressNext()
	a := strings.Repeat("a", 0x12000)
	writeFlush(t, tr, "\x82\x7f\x00\x00\x00\x00\x00\x01\x20\x00"+a)
	wantWrites(t, out, "\xc2\x7f\x00\x00\x00\x00\x00\x01\x20\x00", a[:64<<10-10], a[64<<10-10:])
}

// A Write of no bytes keeps no chunk.
func TestWriteNothingKeepsNoChunk(t *testing.T) {
	o, _ := newOutput(-1)
	writeFlush(t, o, "")
	if o.chunk != nil {
		t.Error("a chunk is kept for nothing")
	}
}
