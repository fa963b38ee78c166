package deflate

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"example.com/wsecho/middleware/internal/buffer"
)

// marker is what RFC 7692 §7.2.2 has a receiver append to a payload, and end is an empty final
// block, for compress/flate to end with.
const (
	marker = "\x00\x00\xff\xff"
	end    = "\x01\x00\x00\xff\xff"
)

func TestIsWorthwhile(t *testing.T) {
	for _, test := range []struct {
		n, windowBits int
		want          bool
	}{
		{0, 0, false},
		{255, 0, false},
		{256, 0, true},
		{1 << 30, 0, true},
		{255, 8, false},
		{256, 8, true},
		{257, 8, false},
		{512, 9, true},
		{513, 9, false},
		{255, 15, false},
		{32768, 15, true},
		{32769, 15, false},
	} {
		if got := IsWorthwhile(test.n, test.windowBits); got != test.want {
			t.Errorf("IsWorthwhile(%d, %d) = %v", test.n, test.windowBits, got)
		}
	}
}

// noise is n bytes that do not compress, the same every time.
func noise(n int) string {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// appended is p as Append compresses it.
func appended(t *testing.T, p string) string {
	t.Helper()
	b := buffer.New()
	defer b.Free()
	if err := Append(b, []byte(p)); err != nil {
		t.Fatal(err)
	}
	return string(b.Bytes())
}

// inflated is what compress/flate makes of a payload with the marker behind it.
func inflated(t *testing.T, payload string) string {
	t.Helper()
	b, err := io.ReadAll(flate.NewReader(strings.NewReader(payload + marker + end)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAppend(t *testing.T) {
	for _, test := range []struct {
		name, message string
		largest       int // size of the payload
	}{
		{"empty", "", 1},
		{"one byte", "x", 10},
		{"Hello", "Hello", 20},
		{"the marker itself", "\x00\x00\xff\xff", 20},
		{"255 bytes", strings.Repeat("x", 255), 30},
		{"prose", strings.Repeat("It was the best of times, it was the worst of times. ", 20), 200},
		{"32 KiB", strings.Repeat("abcdefgh", 4<<10), 1000},
		{"larger than any window", strings.Repeat("abcdefgh", 9<<10), 2000},
		{"1 MiB", strings.Repeat("x", 1<<20), 10000},
		{"noise", noise(1000), 1020},
		{"noise of many blocks", noise(200_000), 200_100},
		{"noise that ends with the marker", noise(1000) + "\x00\x00\xff\xff", 1024},
	} {
		t.Run(test.name, func(t *testing.T) {
			payload := appended(t, test.message)
			if len(payload) == 0 || len(payload) > test.largest {
				t.Errorf("payload of %d bytes, want 1 to %d", len(payload), test.largest)
			}
			if strings.HasSuffix(payload, marker) {
				t.Error("the payload ends with the marker")
			}
			if got := inflated(t, payload); got != test.message {
				t.Errorf("compress/flate: got %d bytes, want %d", len(got), len(test.message))
			}
			// The compressor has forgotten the message: it compresses to the same again.
			if appended(t, test.message) != payload {
				t.Error("compressed differently the second time")
			}
		})
	}
}

// An empty message is the block that RFC 7692 §7.2.3.6 names.
func TestAppendNothing(t *testing.T) {
	if got := appended(t, ""); got != "\x00" {
		t.Errorf("got %q, want one zero byte", got)
	}
}

// Append leaves what is in the buffer where it is.
func TestAppendBehind(t *testing.T) {
	b := buffer.New()
	defer b.Free()
	_, _ = b.WriteString("before")
	for _, p := range []string{"first", "second"} {
		before := bytes.Clone(b.Bytes())
		if err := Append(b, []byte(p)); err != nil {
			t.Fatal(err)
		}
		payload, ok := bytes.CutPrefix(b.Bytes(), before)
		if !ok {
			t.Fatalf("got %q, want %q in front", b.Bytes(), before)
		}
		if got := inflated(t, string(payload)); got != p {
			t.Errorf("got %q, want %q", got, p)
		}
	}
}
