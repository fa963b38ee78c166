package frame

import (
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

func TestNextCompressed(t *testing.T) {
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
		want    []bool // followed by false at every further call
	}{
		{"nothing", true, "", nil},
		{"not agreed on", false, uncompressed + uncompressed, nil},
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
			_, _ = deliver(&g, test.stream)
			for i, want := range append(test.want, false, false) {
				if got := g.NextCompressed(); got != want {
					t.Errorf("message %d: %v, want %v", i, got, want)
				}
			}
		})
	}
}

// Messages that arrive while others have not been asked about queue up.
func TestNextCompressedBetweenPieces(t *testing.T) {
	const compressed, uncompressed = "\xc1\x80\x00\x00\x00\x00", "\x81\x80\x00\x00\x00\x00"
	g := NewGuard(true, -1)
	for _, step := range []struct {
		arrives string
		want    []bool
	}{
		{compressed + uncompressed, []bool{true}},
		{compressed + compressed, []bool{false, true}},
		{"", []bool{true}},
		{uncompressed + compressed + uncompressed, []bool{false, true, false, false}},
		{compressed, []bool{true, false}},
	} {
		if _, err := deliver(&g, step.arrives); err != nil {
			t.Fatal(err)
		}
		for i, want := range step.want {
			if got := g.NextCompressed(); got != want {
				t.Errorf("behind %q: message %d: %v, want %v", step.arrives, i, got, want)
			}
		}
	}
}

// The queue takes no more memory for more messages, if they are asked about.
func TestNextCompressedMemory(t *testing.T) {
	g := NewGuard(true, -1)
	for range 10_000 {
		if _, err := deliver(&g, "\xc1\x80\x00\x00\x00\x00\x81\x80\x00\x00\x00\x00"); err != nil {
			t.Fatal(err)
		}
		if !g.NextCompressed() || g.NextCompressed() {
			t.Fatal("the first message is compressed, the second is not")
		}
	}
	if n := cap(g.compressedQueue); n > 100 {
		t.Errorf("the queue has room for %d messages", n)
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
