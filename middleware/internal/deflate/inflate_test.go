package deflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

// Messages of RFC 7692 §7.2.3.
const (
	hello      = "\xf2\x48\xcd\xc9\xc9\x07\x00"
	helloFinal = "\xf3\x48\xcd\xc9\xc9\x07\x00"
)

// readerCase is a payload and the message in it. If there is an error, message is the part of the
// message that certainly comes before it.
type readerCase struct {
	name, payload, message string
	err                    error
}

func readerCases() []readerCase {
	return []readerCase{
		{"7.2.3.1 one block", hello, "Hello", nil},
		{"7.2.3.2 match in the message before", "\xf2\x00\x11\x00\x00", "", ErrCorrupt},
		{"7.2.3.3 stored block", "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello", nil},
		{"7.2.3.4 final block", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello", nil},
		{"7.2.3.4 final block, nothing behind", helloFinal, "Hello", nil},
		{"7.2.3.5 two blocks", "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello", nil},
		{"7.2.3.6 empty", "\x00", "", nil},
		{"7.2.3.6 empty, fixed Huffman codes", "\x02\x00", "", nil},
		{"7.2.1 data behind a final block", helloFinal + hello, "HelloHello", nil},
		{"7.2.1 three final blocks", helloFinal + helloFinal + helloFinal, "HelloHelloHello", nil},
		{"7.2.1 match in front of a final block", helloFinal + "\xf2\x00\x11\x00\x00", "Hello", ErrCorrupt},
		{"7.2.1 dynamic Huffman codes", "\x04\xc1\x01\x01\x00\x00\x00\x80\x90\xad\xf9\x3f\x22\x92\x28\x52\x92\x28\x52\x92\x28\x52\x06", "abababbaabbabaababababbaabbabaababababbaabbabaab", nil},
		{"7.2.1 1000 x", "\xaa\xa8\x18\x05\xa3\x60\x14\x0c\x77\x00\x00", strings.Repeat("x", 1000), nil},
		{"7.2.2 final block that ends with the marker", "\x01", "", nil},
		{"7.2.2 stored block that ends with the marker", "\x00\x05\x00\xfa\xff\x48", "H\x00\x00\xff\xff", nil},
		{"7.2.2 nothing at all", "", "", ErrCorrupt},
		{"7.2.2 cut off", "\xf2\x48\xcd", "He", ErrCorrupt},
		{"7.2.2 cut off in a stored block", "\x00\xff\x00\x00\xff\x48", "H", ErrCorrupt},
		{"7.2.2 length of a stored block", "\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00", "", ErrCorrupt},
		{"7.2.2 reserved block type", "\xff\xff\xff", "", ErrCorrupt},
		{"7.2.2 reserved block type, not final", "\x06\x00", "", ErrCorrupt},
		{"7.2.2 reserved block type behind a message", hello[:6] + "\x18\x00", "Hello", ErrCorrupt},
		{"7.2.2 match before the beginning", "\x4a\x04\xc2\x00", "", ErrCorrupt},
		{"7.2.2 garbage behind a final block", helloFinal + "\xff\xff\xff", "Hello", ErrCorrupt},
		{"7.2.2 garbage behind two final blocks", helloFinal + helloFinal + "\x07", "HelloHello", ErrCorrupt},
	}
}

// Each payload is read as a whole and in pieces, into large and small buffers.
func TestReader(t *testing.T) {
	whole := func(r io.Reader) io.Reader { return r }
	inputs := map[string]func(io.Reader) io.Reader{
		"as a whole":   whole,
		"byte by byte": iotest.OneByteReader,
		"half":         iotest.HalfReader,
		"data and EOF": iotest.DataErrReader,
	}
	outputs := map[string]func(io.Reader) io.Reader{
		"as a whole":   whole,
		"byte by byte": iotest.OneByteReader,
		"half":         iotest.HalfReader,
	}
	for _, test := range readerCases() {
		t.Run(test.name, func(t *testing.T) {
			for input, in := range inputs {
				for output, out := range outputs {
					z := NewReader(in(strings.NewReader(test.payload)))
					got, err := io.ReadAll(out(z))
					test.check(t, input+", read "+output, string(got), err)
					// The end stays the end.
					if n, again := z.Read(make([]byte, 10)); n != 0 || again != orEOF(err) {
						t.Errorf("%s: reading on: %d, %v", input, n, again)
					}
					z.Free()
				}
			}
		})
	}
}

func (c readerCase) check(t *testing.T, delivery, got string, err error) {
	t.Helper()
	if err != c.err {
		t.Errorf("%s: got %q, %v; want %v", delivery, got, err, c.err)
	}
	if err == nil && got != c.message || !strings.HasPrefix(got, c.message) {
		t.Errorf("%s: got %q, want %q", delivery, got, c.message)
	}
}

func orEOF(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

// A Reader is a well-behaved io.Reader.
func TestReaderIsReader(t *testing.T) {
	message := strings.Repeat("x", 1000) + strings.Repeat("Hello", 100)
	payload := "\xaa\xa8\x18\x05\xa3\x60\x14\x0c\x77\x00\x00" + marker + strings.Repeat(helloFinal, 100)
	z := NewReader(strings.NewReader(payload))
	defer z.Free()
	if err := iotest.TestReader(z, []byte(message)); err != nil {
		t.Error(err)
	}
}

// An error of what the payload is read from comes through as it is, wherever it occurs, and as
// often as somebody reads on.
func TestReaderError(t *testing.T) {
	broken := errors.New("broken")
	for _, payload := range []string{
		hello, helloFinal, helloFinal + hello, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
		"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
	} {
		for cut := range len(payload) + 1 {
			z := NewReader(io.MultiReader(strings.NewReader(payload[:cut]), iotest.ErrReader(broken)))
			got, err := io.ReadAll(z)
			if err != broken || !strings.HasPrefix("HelloHello", string(got)) {
				t.Errorf("%q: got %q, %v; want %v", payload[:cut], got, err, broken)
			}
			if _, err := z.Read(make([]byte, 1)); err != broken {
				t.Errorf("%q: reading on: %v", payload[:cut], err)
			}
			z.Free()
		}
	}
}

func TestFinalBlocks(t *testing.T) {
	const empty = "\x03\x00" // an empty final block
	for _, test := range []readerCase{
		{"1023, one byte behind", strings.Repeat(empty, 1023) + "\x00", "", nil},
		{"1024", strings.Repeat(empty, 1024), "", nil},
		{"1024, one byte behind", strings.Repeat(empty, 1024) + "\x00", "", nil},
		{"1024, data behind", strings.Repeat(empty, 1024) + hello, "Hello", nil},
		{"1024 with data", strings.Repeat(helloFinal, 1024), strings.Repeat("Hello", 1024), nil},
		{"1025", strings.Repeat(empty, 1025), "", ErrFinalBlocks},
		{"1025, one byte behind", strings.Repeat(empty, 1025) + "\x00", "", ErrFinalBlocks},
		{"1025, data behind", strings.Repeat(empty, 1025) + hello, "", ErrFinalBlocks},
		{"1025 with data", strings.Repeat(helloFinal, 1025) + hello, strings.Repeat("Hello", 1025), ErrFinalBlocks},
		{"1026", strings.Repeat(empty, 1026), "", ErrFinalBlocks},
		{"5000 that are not final", strings.Repeat("\x00\x00\x00\xff\xff", 5000) + hello, "Hello", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			z := NewReader(strings.NewReader(test.payload))
			defer z.Free()
			got, err := io.ReadAll(z)
			test.check(t, "as a whole", string(got), err)
			if n, again := z.Read(make([]byte, 10)); n != 0 || again != orEOF(err) {
				t.Errorf("reading on: %d, %v", n, again)
			}
		})
	}
}

// Reading stops at the limit, and does not go through what is behind it.
func TestFinalBlocksStop(t *testing.T) {
	payload := strings.NewReader(strings.Repeat("\x03\x00", 500_000))
	z := NewReader(iotest.OneByteReader(payload))
	defer z.Free()
	if _, err := io.Copy(io.Discard, z); err != ErrFinalBlocks {
		t.Errorf("got %v, want %v", err, ErrFinalBlocks)
	}
	// 1025 blocks of two bytes, and the first byte behind them.
	if taken := 1_000_000 - payload.Len(); taken > 2051 {
		t.Errorf("%d bytes were read", taken)
	}
}

// The texts go to the client as the reason of a close frame.
func TestErrorTexts(t *testing.T) {
	for err, want := range map[error]string{
		ErrCorrupt:     "invalid DEFLATE data",
		ErrFinalBlocks: "more than 1024 final DEFLATE blocks in one message",
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A reader that comes from the pool has nothing of the message before, however that ended.
func TestReaderCarriesNothingOver(t *testing.T) {
	broken := errors.New("broken")
	poison := map[string]func(){}
	for _, c := range readerCases() {
		poison[c.name] = func() { use(c.payload, nil, -1) }
		poison[c.name+", broken"] = func() { use(c.payload, broken, -1) }
		poison[c.name+", not read"] = func() { use(c.payload, nil, 0) }
		poison[c.name+", one byte read"] = func() { use(c.payload, nil, 1) }
	}
	poison["final blocks"] = func() { use(strings.Repeat("\x03\x00", 1024), broken, -1) }
	poison["too many final blocks"] = func() { use(strings.Repeat("\x03\x00", 2000), nil, -1) }
	for name, use := range poison {
		for _, test := range readerCases() {
			use()
			z := NewReader(strings.NewReader(test.payload))
			got, err := io.ReadAll(z)
			test.check(t, name+", then "+test.name, string(got), err)
			z.Free()
		}
	}
}

// use reads n bytes of the message, all if n is negative, and frees the reader. The payload ends
// with err. A check that would refuse everything is set.
func use(payload string, err error, n int64) {
	var r io.Reader = strings.NewReader(payload)
	if err != nil {
		r = io.MultiReader(r, iotest.ErrReader(err))
	}
	z := NewReader(r)
	defer z.Free()
	refuse := errors.New("refused")
	z.CheckEarly(func([]byte) error { return refuse }, func() bool { return n < 0 })
	if n < 0 {
		_, _ = io.Copy(io.Discard, z)
		return
	}
	_, _ = io.CopyN(io.Discard, z, n)
}

// Readers in use at the same time do not mix up their messages.
func TestReadersAtOnce(t *testing.T) {
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			message := bytes.Repeat([]byte{byte('a' + worker)}, 50_000)
			payload := appended(t, string(message))
			for range 20 {
				z := NewReader(strings.NewReader(payload))
				if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, message) {
					t.Errorf("worker %d: %d bytes, %v", worker, len(got), err)
				}
				z.Free()
			}
		})
	}
	all.Wait()
}

// An error of the connection is not mistaken for corrupt data: crypto/tls returns
// io.ErrUnexpectedEOF if the stream ends within a record.
func TestReaderUnexpectedEOF(t *testing.T) {
	payload := io.MultiReader(strings.NewReader("\xf2\x48\xcd"), iotest.ErrReader(io.ErrUnexpectedEOF))
	z := NewReader(payload)
	defer z.Free()
	if _, err := io.ReadAll(z); err != io.ErrUnexpectedEOF {
		t.Errorf("got %v", err)
	}
}

// What was decompressed before an error of the connection is returned before it.
func TestReaderDataBeforeError(t *testing.T) {
	want := strings.Repeat("0123456789", 10)
	var compressed bytes.Buffer
	w, _ := flate.NewWriter(&compressed, flate.BestCompression)
	_, _ = io.WriteString(w, want)
	_ = w.Flush()
	broken := errors.New("broken")
	z := NewReader(io.MultiReader(&compressed, iotest.ErrReader(broken)))
	defer z.Free()
	got, err := io.ReadAll(iotest.OneByteReader(z))
	if string(got) != want || err != broken {
		t.Errorf("got %q, %v", got, err)
	}
}
