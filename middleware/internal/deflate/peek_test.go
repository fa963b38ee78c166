package deflate

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func always() bool { return true }
func never() bool  { return false }

var errChecked = errors.New("the check has failed")

// deadEnd fails the test when it is read from.
type deadEnd struct{ t *testing.T }

func (r deadEnd) Read([]byte) (int, error) {
	r.t.Error("the payload was read further")
	return 0, io.ErrClosedPipe
}

// The check fails with what has arrived, although more of the message is to come.
func TestCheckEarly(t *testing.T) {
	for _, test := range []struct{ name, payload, want string }{
		{"one block", hello, "Hello"},
		{"without the last byte", hello[:6], "Hello"},
		{"half", "\xf2\x48\xcd", "He"},
		{"not UTF-8", "\x4a\xfc\x0f\x00", "a\xff"},
		{"stored block", "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f", "Hello"},
		{"in a stored block", "\x00\x05\x00\xfa\xff\x48\x65", "He"},
		{"final block", helloFinal, "Hello"},
		{"dynamic Huffman codes", "\x04\xc1\x01\x01\x00\x00\x00\x80\x90\xad\xf9\x3f\x22\x92\x28\x52\x92\x28\x52\x92\x28\x52\x06", "abababbaabbabaababababbaabbabaababababbaabbabaab"},
	} {
		t.Run(test.name, func(t *testing.T) {
			z := NewReader(io.MultiReader(strings.NewReader(test.payload), deadEnd{t}))
			defer z.Free()
			check := func(p []byte) error {
				if got := string(p); got != test.want {
					t.Errorf("check got %q, want %q", got, test.want)
				}
				return errChecked
			}
			z.CheckEarly(check, always)
			// Only the contents of a final block are returned before the check.
			if _, err := io.ReadAll(z); err != errChecked {
				t.Errorf("got %v, want %v", err, errChecked)
			}
		})
	}
}

// Byte by byte, the check gets more and more of the message. When it finds nothing, the message is
// what it is without it.
func TestCheckEarlyByteByByte(t *testing.T) {
	z := NewReader(iotest.OneByteReader(strings.NewReader(hello)))
	defer z.Free()
	var got []string
	z.CheckEarly(func(p []byte) error {
		got = append(got, string(p))
		return nil
	}, always)
	message, err := io.ReadAll(z)
	if string(message) != "Hello" || err != nil {
		t.Errorf("message %q, %v", message, err)
	}
	// Each byte completes a character from the second on: the codes are of eight bits, behind a
	// header of three.
	want := []string{"", "H", "He", "Hel", "Hell", "Hello", "Hello"}
	if !slices.Equal(got, want) {
		t.Errorf("checked %q, want %q", got, want)
	}
}

// A message that has arrived as a whole is not checked early.
func TestCheckEarlyComplete(t *testing.T) {
	for name, payload := range map[string]io.Reader{
		"as a whole":   strings.NewReader(hello),
		"byte by byte": iotest.OneByteReader(strings.NewReader(hello)),
		"data and EOF": iotest.DataErrReader(strings.NewReader(hello)),
	} {
		t.Run(name, func(t *testing.T) {
			z := NewReader(payload)
			defer z.Free()
			z.CheckEarly(func(p []byte) error {
				t.Errorf("check got %q", p)
				return errChecked
			}, never)
			if got, err := io.ReadAll(z); string(got) != "Hello" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// The check goes on as long as the message does, and no longer.
func TestCheckEarlyUntilComplete(t *testing.T) {
	payload := strings.NewReader(hello)
	z := NewReader(iotest.OneByteReader(payload))
	defer z.Free()
	calls := 0
	z.CheckEarly(func([]byte) error {
		calls++
		return nil
	}, func() bool { return payload.Len() > 4 })
	if got, err := io.ReadAll(z); string(got) != "Hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if calls != 2 {
		t.Errorf("%d checks, want 2: behind the first byte and the second", calls)
	}
}

// Without new bytes there is no new check.
func TestCheckEarlyNothingNew(t *testing.T) {
	z := NewReader(io.MultiReader(
		&stutter{times: 50}, strings.NewReader(hello[:3]),
		&stutter{times: 50}, strings.NewReader(hello[3:]),
	))
	defer z.Free()
	calls := 0
	z.CheckEarly(func([]byte) error {
		calls++
		return nil
	}, always)
	if got, err := io.ReadAll(z); string(got) != "Hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if calls != 2 {
		t.Errorf("%d checks, want 2: behind each of two pieces", calls)
	}
}

// stutter returns nothing, and no error, so many times, and then io.EOF.
type stutter struct{ times int }

func (s *stutter) Read([]byte) (int, error) {
	if s.times--; s.times < 0 {
		return 0, io.EOF
	}
	return 0, nil
}

// A message costs at most 32 checks, of its first 4 KiB, inflated to at most 32 KiB.
func TestCheckEarlyIsBounded(t *testing.T) {
	const size = 8 << 20
	random, zeroes := noise(100_000), strings.Repeat("\x00", size)
	for _, test := range []struct {
		name, message string
		pieces        func(io.Reader) io.Reader
		calls         int // at most
		largest       int // at most, in bytes
	}{
		{"byte by byte", random, iotest.OneByteReader, 32, 4 << 10},
		{"4 KiB at a time", random, func(r io.Reader) io.Reader { return r }, 1, 4 << 10},
		{"3000 bytes at a time", random, inSteps, 1, 4 << 10},
		{"bomb", zeroes, iotest.HalfReader, 2, 32 << 10},
		{"bomb, byte by byte", zeroes, iotest.OneByteReader, 32, 32 << 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			payload := appended(t, test.message)
			z := NewReader(test.pieces(strings.NewReader(payload)))
			defer z.Free()
			calls := 0
			z.CheckEarly(func(p []byte) error {
				calls++
				if len(p) > test.largest || !strings.HasPrefix(test.message, string(p)) {
					t.Errorf("check got %d bytes", len(p))
				}
				return nil
			}, always)
			if got, err := io.ReadAll(z); string(got) != test.message || err != nil {
				t.Errorf("got %d bytes, %v; want %d", len(got), err, len(test.message))
			}
			if kept := len(z.peek.received); kept > 8<<10 {
				t.Errorf("%d bytes of the payload are kept", kept)
			}
			if calls == 0 || calls > test.calls {
				t.Errorf("%d checks, want 1 to %d", calls, test.calls)
			}
		})
	}
}

// inSteps reads at most 3000 bytes at a time.
func inSteps(r io.Reader) io.Reader { return steps{r} }

type steps struct{ r io.Reader }

func (s steps) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), 3000)]) }

// A check ends with its message.
func TestCheckEarlyEndsWithMessage(t *testing.T) {
	for range 20 {
		z := NewReader(strings.NewReader(hello))
		z.CheckEarly(func([]byte) error { return errChecked }, always)
		z.Free()
		z = NewReader(iotest.OneByteReader(strings.NewReader(hello)))
		if got, err := io.ReadAll(z); string(got) != "Hello" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		z.Free()
	}
}
