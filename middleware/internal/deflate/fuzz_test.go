package deflate

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// plainInflate is what a Reader is to do, written for a payload that is there as a whole. It reads
// up to each final block with a decompressor of its own.
func plainInflate(payload []byte) (message []byte, err error) {
	rest := append(bytes.Clone(payload), marker+end...)
	for finalBlocks := 1; ; finalBlocks++ {
		r := bytes.NewReader(rest) // An io.ByteReader: flate reads no byte too many.
		part, err := io.ReadAll(flate.NewReader(r))
		message = append(message, part...)
		switch {
		case err != nil:
			return message, ErrCorrupt
		case r.Len() >= len(marker+end) && finalBlocks > 1024:
			return message, ErrFinalBlocks
		case r.Len() <= len(marker+end):
			return message, nil
		}
		rest = rest[len(rest)-r.Len():]
	}
}

// pieces delivers a payload in pieces of random size. Now and then one is empty, and the last one
// may come with io.EOF.
type pieces struct {
	rest []byte
	rand *rand.Rand
}

func (r *pieces) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	if r.rand.IntN(8) == 0 {
		return 0, nil
	}
	n := copy(p, r.rest[:1+r.rand.IntN(len(r.rest))])
	r.rest = r.rest[n:]
	if len(r.rest) == 0 && r.rand.IntN(2) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// readInPieces reads the message with a Reader. It tries an early check at random, which has to
// get what the message begins with.
func readInPieces(t *testing.T, payload, message []byte, seed uint64) ([]byte, error) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	z := NewReader(&pieces{payload, random})
	defer z.Free()
	if random.IntN(2) == 0 {
		checks := 0
		z.CheckEarly(func(p []byte) error {
			if checks++; checks > 32 || len(p) > 32<<10 || !bytes.HasPrefix(message, p) {
				t.Errorf("check %d got %d bytes that the message does not begin with", checks, len(p))
			}
			return nil
		}, func() bool { return random.IntN(4) > 0 })
	}
	var got []byte
	p := make([]byte, 1+random.IntN(5000))
	for {
		n, err := z.Read(p)
		got = append(got, p[:n]...)
		if err == io.EOF {
			return got, nil
		}
		if err != nil {
			return got, err
		}
	}
}

// FuzzReader compares a Reader, which gets the payload in random pieces, with plainInflate.
func FuzzReader(f *testing.F) {
	for i, c := range readerCases() {
		f.Add([]byte(c.payload), uint64(i))
	}
	for i, payload := range []string{
		strings.Repeat("\x03\x00", 1024) + "\x00",
		strings.Repeat("\x03\x00", 1025) + "\x00",
		strings.Repeat("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f", 100),
	} {
		f.Add([]byte(payload), uint64(i))
	}
	f.Fuzz(func(t *testing.T, payload []byte, seed uint64) {
		if len(payload) > 8<<10 {
			return // It could inflate to 8 MiB and more.
		}
		want, wantErr := plainInflate(payload)
		got, err := readInPieces(t, payload, want, seed)
		if err != wantErr || !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, %v; want %d, %v", len(got), err, len(want), wantErr)
		}
	})
}

// FuzzAppend compresses a message, and decompresses it with compress/flate and with a Reader.
func FuzzAppend(f *testing.F) {
	for i, message := range []string{
		"", "x", "Hello", marker, strings.Repeat("x", 300), strings.Repeat("Hello", 7000), noise(70000),
	} {
		f.Add([]byte(message), uint64(i))
	}
	f.Fuzz(func(t *testing.T, message []byte, seed uint64) {
		payload := appended(t, string(message))
		if strings.HasSuffix(payload, marker) {
			t.Errorf("the payload ends with the marker")
		}
		if got := inflated(t, payload); got != string(message) {
			t.Errorf("compress/flate: got %d bytes, want %d", len(got), len(message))
		}
		got, err := readInPieces(t, []byte(payload), message, seed)
		if err != nil || !bytes.Equal(got, message) {
			t.Errorf("Reader: got %d bytes, %v; want %d", len(got), err, len(message))
		}
	})
}
