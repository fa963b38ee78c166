package buffer

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// pattern is n bytes with a period of 251, so that a byte out of place shows.
func pattern(n int) []byte {
	period := make([]byte, 251)
	for i := range period {
		period[i] = byte(i)
	}
	return bytes.Repeat(period, n/len(period)+1)[:n]
}

// sizes are on both sides of the borders at which a buffer grows. A buffer of 1024 bytes has 64
// of them in front of its contents. From 64 KiB on it is large, above 16 MiB not pooled.
var sizes = []int{
	0, 1, 959, 960, 961, 1983, 1984, 1985, 32703, 32704, 32705, 65471, 65472, 65473,
	131007, 131008, 131009, 1 << 20, 16<<20 - 64, 16<<20 - 63,
}

// wantBytes compares the contents without printing them.
func wantBytes(t *testing.T, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, want %d; the same up to %d", len(got), len(want), common(got, want))
	}
}

func common(a, b []byte) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// Contents survive growth, whether they arrive at once or in pieces.
func TestWrite(t *testing.T) {
	for _, size := range sizes {
		for _, piece := range []int{size, 1000, 33000} {
			want := pattern(size)
			b := New()
			for rest := want; len(rest) > 0; {
				p := rest[:min(len(rest), piece)]
				rest = rest[len(p):]
				if n, err := b.Write(p); n != len(p) || err != nil {
					t.Fatalf("Write of %d bytes: %d, %v", len(p), n, err)
				}
			}
			wantBytes(t, b.Bytes(), want)
			b.Free()
		}
	}
}

func TestWriteString(t *testing.T) {
	b := New()
	defer b.Free()
	x, y, z := strings.Repeat("x", 961), strings.Repeat("y", 70000), strings.Repeat("z", 70000)
	for _, s := range []string{"", x, y, "", z} {
		if n, err := b.WriteString(s); n != len(s) || err != nil {
			t.Fatalf("WriteString of %d bytes: %d, %v", len(s), n, err)
		}
	}
	wantBytes(t, b.Bytes(), []byte(x+y+z))
}

// The buffer keeps a copy of what is written to it.
func TestWriteCopies(t *testing.T) {
	b := New()
	defer b.Free()
	p := []byte("abc")
	_, _ = b.Write(p)
	copy(p, "xyz")
	if got := string(b.Bytes()); got != "abc" {
		t.Errorf("got %q", got)
	}
}

func TestReadFrom(t *testing.T) {
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"at once":         func(r io.Reader) io.Reader { return r },
		"data and EOF":    iotest.DataErrReader,
		"byte by byte":    iotest.OneByteReader,
		"half":            iotest.HalfReader,
		"nothing between": func(r io.Reader) io.Reader { return &stutter{r: r} },
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range sizes[:len(sizes)-3] {
				b := New()
				_, _ = b.WriteString("before")
				want := pattern(size)
				n, err := b.ReadFrom(wrap(bytes.NewReader(want)))
				if n != int64(size) || err != nil {
					t.Errorf("got %d, %v; want %d", n, err, size)
				}
				wantBytes(t, b.Bytes(), append([]byte("before"), want...))
				b.Free()
			}
		})
	}
}

// stutter returns nothing, and no error, at every second read.
type stutter struct {
	r     io.Reader
	reads int
}

func (s *stutter) Read(p []byte) (int, error) {
	if s.reads++; s.reads%2 == 1 {
		return 0, nil
	}
	return s.r.Read(p)
}

// What arrived before an error, or with it, is kept, and the error is returned as it is.
func TestReadFromError(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		name string
		r    io.Reader
		err  error
		want string
	}{
		{"at once", iotest.ErrReader(broken), broken, ""},
		{"behind data", io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), broken, "abc"},
		{"with data", iotest.DataErrReader(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken))), broken, "abc"},
		{"timeout", iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("abc"))), iotest.ErrTimeout, "a"},
		{"unexpected EOF", io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF, "abc"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := New()
			defer b.Free()
			n, err := b.ReadFrom(test.r)
			if n != int64(len(test.want)) || err != test.err || string(b.Bytes()) != test.want {
				t.Errorf("got %d, %v, %q; want %d, %v, %q",
					n, err, b.Bytes(), len(test.want), test.err, test.want)
			}
			_, _ = b.WriteString("more")
			if got := string(b.Bytes()); got != test.want+"more" {
				t.Errorf("written behind it: %q", got)
			}
		})
	}
}

func TestTruncate(t *testing.T) {
	b := New()
	defer b.Free()
	_, _ = b.WriteString("abcdef")
	for _, step := range []struct {
		n           int
		write, want string
	}{
		{0, "", "abcdef"},
		{2, "", "abcd"},
		{1, "xyz", "abcxyz"},
		{6, "", ""},
		{0, "new", "new"},
	} {
		b.Truncate(step.n)
		_, _ = b.WriteString(step.write)
		if got := string(b.Bytes()); got != step.want {
			t.Errorf("without %d bytes, and %q behind: %q, want %q", step.n, step.write, got, step.want)
		}
	}
}

// Whatever size a buffer was freed with, the next ones are empty and small, and what they grow into
// holds nothing but what is written to them.
func TestFree(t *testing.T) {
	poison := bytes.Repeat([]byte{0xee}, 20<<20)
	for _, size := range append(sizes, 20<<20) {
		for range 2 {
			old := New()
			_, _ = old.Write(poison[:size])
			old.Free()
		}
		var next [5]*Buffer
		for i := range next {
			next[i] = New()
			if b := next[i]; len(b.Bytes()) != 0 || len(b.room) >= 64<<10 {
				t.Errorf("behind %d bytes: %d bytes in room for %d", size, len(b.Bytes()), len(b.room))
			}
		}
		want := pattern(size + 1)
		_, _ = next[0].Write(want)
		wantBytes(t, next[0].Bytes(), want)
		for _, b := range next {
			b.Free()
		}
	}
}

// A small buffer grows by doubling, and only when it is full.
func TestGrowth(t *testing.T) {
	for n, want := range map[int]int{
		960: 1 << 10, 961: 2 << 10, 1984: 2 << 10, 1985: 4 << 10, 32704: 32 << 10,
	} {
		b := &Buffer{room: make([]byte, 1<<10), end: 64}
		_, _ = b.Write(make([]byte, n))
		if len(b.room) != want {
			t.Errorf("%d bytes in room for %d, want %d", n, len(b.room), want)
		}
	}
}

// Only buffers of up to 16 MiB come back from the pool.
func TestFreeHuge(t *testing.T) {
	for range 3 {
		huge := New()
		_, _ = huge.Write(make([]byte, 16<<20))
		huge.Free()
		b := New()
		_, _ = b.Write(make([]byte, 64<<10))
		if len(b.room) > 16<<20 {
			t.Errorf("room for %d bytes came back", len(b.room))
		}
		b.Free()
	}
}
