package frame

import (
	"runtime"
	"slices"
	"strings"
	"testing"
)

// RSV1 is cleared where it says that a message is compressed, and nothing else is changed.
func TestGuardClearsRSV1(t *testing.T) {
	const (
		stream = "\xc1\x81\x40\x40\x40\x40\xc1\x42\x81\x40\x40\x40\x40\xc1\x80\x81\x40\x40\x40\x40\xc1"
		want   = "\x81\x81\x40\x40\x40\x40\xc1\x02\x81\x40\x40\x40\x40\xc1\x80\x81\x40\x40\x40\x40\xc1"
	)
	for cut := range len(stream) + 1 {
		g := NewGuard(true, -1)
		if got, err := deliver(&g, stream[:cut], stream[cut:]); got != want || err != nil {
			t.Errorf("cut at %d: got %q, %v; want %q", cut, got, err, want)
		}
	}
}

// Compressed tells it from the first byte of a message to the first byte of the next one.
func TestCompressed(t *testing.T) {
	const (
		compressed   = "\xc1\x81\x00\x00\x00\x00c"
		uncompressed = "\x82\x81\x00\x00\x00\x00u"
		fragmented   = "\x41\x81\x00\x00\x00\x00c\x89\x80\x00\x00\x00\x00\x00\x80\x00\x00\x00\x00\x80\x80\x00\x00\x00\x00"
		ping         = "\x89\x81\x00\x00\x00\x00p"
		pong         = "\x8a\x80\x00\x00\x00\x00"
	)
	for _, test := range []struct {
		name    string
		deflate bool
		stream  string
		want    []bool // of each message
	}{
		{"nothing", true, "", nil},
		{"not agreed on", false, uncompressed + uncompressed, []bool{false, false}},
		{"one", true, compressed, []bool{true}},
		{"control frames alone", true, ping + pong, nil},
		{"fragments count once", true, fragmented + uncompressed, []bool{true, false}},
		{"several", true, compressed + uncompressed + uncompressed + compressed, []bool{true, false, false, true}},
		{"control frames between", true, ping + compressed + ping + pong + fragmented + pong + uncompressed + ping + compressed, []bool{true, true, false, true}},
		{"behind a close frame", true, compressed + "\x88\x80\x00\x00\x00\x00" + compressed, []bool{true}},
		{"refused", true, uncompressed + "\xe1" + compressed, []bool{false}},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := NewGuard(test.deflate, -1)
			var got []bool
			began := false
			for i := range len(test.stream) {
				_, err := deliver(&g, test.stream[i:i+1])
				if err != nil {
					break
				}
				if !began && g.InMessage() {
					got = append(got, g.Compressed())
				}
				began = g.InMessage()
				if len(got) > 0 && g.Compressed() != got[len(got)-1] {
					t.Errorf("changes to %v at byte %d", g.Compressed(), i)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("byte by byte: %v, want %v", got, test.want)
			}

			g = NewGuard(test.deflate, -1)
			for i, rest := 0, []byte(test.stream); i < len(test.want); i++ {
				n, err := g.Advance(rest)
				if err != nil || g.Compressed() != test.want[i] {
					t.Errorf("message %d as a whole: %v, %v", i, g.Compressed(), err)
				}
				rest = rest[n:]
			}
		})
	}
}

// Advance stops behind each message, and nowhere else.
func TestAdvanceStops(t *testing.T) {
	const (
		message  = "\x81\x82\x00\x00\x00\x00ab"
		empty    = "\x82\x80\x00\x00\x00\x00"
		first    = "\x01\x81\x00\x00\x00\x00a"
		last     = "\x80\x81\x00\x00\x00\x00z"
		lastZero = "\x80\x80\x00\x00\x00\x00"
		ping     = "\x89\x81\x00\x00\x00\x00p"
		pong     = "\x8a\x80\x00\x00\x00\x00"
		closing  = "\x88\x82\x00\x00\x00\x00\x03\xe8"
	)
	for _, test := range []struct {
		name   string
		pieces []string
		want   []int // what Advance returns
		err    string
	}{
		{"nothing", []string{""}, []int{0}, ""},
		{"a message", []string{message}, []int{8}, ""},
		{"two messages", []string{message + message}, []int{8, 8}, ""},
		{"empty messages", []string{empty + empty + empty}, []int{6, 6, 6}, ""},
		{"control frames before", []string{ping + pong + message + ping}, []int{21, 7}, ""},
		{"control frames alone", []string{ping + ping + pong}, []int{20}, ""},
		{"fragments", []string{first + ping + last + message}, []int{21, 8}, ""},
		{"an empty last fragment", []string{first + lastZero + pong + empty}, []int{13, 12}, ""},
		{"an end in the next piece", []string{message[:7], message[7:] + message}, []int{7, 1, 8}, ""},
		{"an end of the header in the next piece", []string{empty[:5], empty[5:] + ping[:1], ping[1:] + empty}, []int{5, 1, 1, 12}, ""},
		{"a violation behind a message", []string{message + "\x91"}, []int{8, 0}, "1002 reserved bit set"},
		{"a close frame behind a message", []string{message + closing}, []int{8, 0}, `closed 1000 ""`},
		{"a close frame behind a ping", []string{ping + closing + message}, []int{7}, `closed 1000 ""`},
		{"a close frame in pieces", []string{message + closing[:1], closing[1:7], closing[7:] + message}, []int{8, 0, 0, 0}, `closed 1000 ""`},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := NewGuard(false, -1)
			var got []int
			var err error
			for _, piece := range test.pieces {
				for rest := []byte(piece); err == nil; {
					var n int
					n, err = g.Advance(rest)
					got = append(got, n)
					rest = rest[n:]
					if len(rest) == 0 || g.Closing() {
						break
					}
				}
			}
			if !slices.Equal(got, test.want) || verdict(err) != test.err {
				t.Errorf("got %v, %q, want %v, %q", got, verdict(err), test.want, test.err)
			}
		})
	}
}

// Payload counts down within a payload, and is 0 elsewhere. Closing begins with a close frame.
func TestPayloadAndClosing(t *testing.T) {
	const stream = "\x81\x82\x00\x00\x00\x00ab\x89\x81\x00\x00\x00\x00p\x88\x82\x00\x00\x00\x00\x03\xe8"
	want := []uint64{
		0, 0, 0, 0, 0, 2, 1, 0,
		0, 0, 0, 0, 0, 1, 0,
		0, 0, 0, 0, 0, 2, 1,
	}
	g := NewGuard(false, -1)
	for i, n := range want {
		if _, err := deliver(&g, stream[i:i+1]); err != nil {
			t.Fatal(err)
		}
		if got, closing := g.Payload(), g.Closing(); got != n || closing != (i >= 15) {
			t.Errorf("after byte %d: payload %d, closing %v, want %d, %v", i, got, closing, n, i >= 15)
		}
	}
	g = NewGuard(false, -1)
	if _, err := deliver(&g, "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04x"); err != nil {
		t.Fatal(err)
	}
	if got := g.Payload(); got != 1<<63-2 {
		t.Errorf("payload %d, want %d", got, uint64(1<<63-2))
	}
}

// Messages take no memory, even if each read ends within a header, so that a message has always
// begun and is not yet read.
func TestGuardMemory(t *testing.T) {
	g := NewGuard(true, -1)
	if _, err := deliver(&g, "\xc1"); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	var piece [12]byte
	runtime.ReadMemStats(&before)
	for range 1_000_000 {
		p := piece[:copy(piece[:], "\x80\x00\x00\x00\x00\x81\x80\x00\x00\x00\x00\xc1")]
		for len(p) > 0 {
			n, err := g.Advance(p)
			if n == 0 || err != nil {
				t.Fatal(n, err)
			}
			p = p[n:]
		}
		if !g.Compressed() || !g.InMessage() {
			t.Fatal("the message that has begun is compressed")
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
		t.Errorf("%d bytes were allocated", n)
	}
}

func TestInMessage(t *testing.T) {
	for _, test := range []struct {
		name, stream string
		want         bool
	}{
		{"nothing", "", false},
		{"first byte of a message", "\x81", true},
		{"part of the header", "\x81\x82\x00\x00", true},
		{"part of the header of the last fragment", "\x01\x80\x00\x00\x00\x00\x80\x81\x00", true},
		{"ping without its payload", "\x81\x80\x00\x00\x00\x00\x89\x82\x00\x00\x00\x00p", false},
		{"no payload yet", "\x81\x82\x00\x00\x00\x00", true},
		{"some payload", "\x81\x82\x00\x00\x00\x00a", true},
		{"all", "\x81\x82\x00\x00\x00\x00ab", false},
		{"empty message", "\x81\x80\x00\x00\x00\x00", false},
		{"first byte of a fragment", "\x01", true},
		{"fragment", "\x01\x81\x00\x00\x00\x00a", true},
		{"empty fragment", "\x01\x80\x00\x00\x00\x00", true},
		{"second fragment", "\x01\x80\x00\x00\x00\x00\x00\x81\x00\x00\x00\x00a", true},
		{"ping between fragments", "\x01\x80\x00\x00\x00\x00\x89\x81\x00\x00\x00\x00p", true},
		{"last fragment without its payload", "\x01\x80\x00\x00\x00\x00\x80\x81\x00\x00\x00\x00", true},
		{"last fragment", "\x01\x80\x00\x00\x00\x00\x80\x81\x00\x00\x00\x00a", false},
		{"ping behind a message", "\x81\x80\x00\x00\x00\x00\x89\x81\x00\x00\x00\x00p", false},
		{"next message", "\x81\x80\x00\x00\x00\x00\x82\x82\x00\x00\x00\x00a", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := NewGuard(false, -1)
			if _, err := deliver(&g, strings.Split(test.stream, "")...); err != nil {
				t.Fatal(err)
			}
			if got := g.InMessage(); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
