package frame

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// plainParse is what the guard is to do, written for a stream that is there as a whole and with
// no regard for speed. It returns what is let through and the verdict.
func plainParse(stream []byte, deflate bool, limit uint64) (through []byte, verdict string) {
	through = slices.Clone(stream)
	inMessage, compressed := false, false
	size, empty := uint64(0), 0
	const wrong = "1002"
	for at := 0; at < len(stream); {
		b0 := stream[at]
		opcode, final := b0&15, b0>>7 == 1
		isRSV1, isControl := b0>>6&1 == 1, opcode >= 8
		switch {
		case b0>>4&3 != 0,
			isRSV1 && (!deflate || opcode != 1 && opcode != 2),
			opcode >= 3 && opcode <= 7, opcode >= 11,
			isControl && !final,
			opcode == 0 && !inMessage,
			(opcode == 1 || opcode == 2) && inMessage:
			return through[:at], wrong
		}
		if opcode == 1 || opcode == 2 {
			compressed, size, empty = isRSV1, 0, 0
			through[at] &= 0xbf
		}
		if !isControl {
			inMessage = !final
		}
		// A violation in the header of a close frame keeps back all of that frame.
		stop := func(i int) []byte {
			if opcode == 8 {
				i = at
			}
			return through[:i]
		}
		if at+1 >= len(stream) {
			return stop(at + 1), ""
		}
		b1 := stream[at+1]
		length, extended := uint64(b1&127), 0
		switch {
		case b1>>7 == 0, isControl && length > 125, opcode == 8 && length == 1:
			return stop(at + 1), wrong
		case length == 126:
			extended = 2
		case length == 127:
			extended = 8
		}
		payloadAt := at + 2 + extended + 4
		if at+2+extended > len(stream) {
			return stop(len(stream)), ""
		}
		if extended > 0 {
			var b [8]byte
			copy(b[8-extended:], stream[at+2:])
			length = binary.BigEndian.Uint64(b[:])
		}
		lastLengthByte := at + 1 + extended
		switch {
		case extended == 2 && length < 126, extended == 8 && length < 65536, length>>63 == 1:
			return stop(lastLengthByte), wrong
		}
		if !isControl {
			if length == 0 && !final {
				empty++
			}
			allowed := limit
			if compressed {
				allowed += limit/8 + 1024
			}
			size += length
			if empty > 1024 {
				return stop(lastLengthByte), "1008"
			}
			if size > allowed {
				return stop(lastLengthByte), "1009"
			}
		}
		if uint64(payloadAt) > uint64(len(stream)) || length > uint64(len(stream)-payloadAt) {
			return stop(len(stream)), ""
		}
		if opcode == 8 {
			return stop(at), plainClose(stream[payloadAt-4:payloadAt], stream[payloadAt:payloadAt+int(length)])
		}
		at = payloadAt + int(length)
	}
	return through, ""
}

func plainClose(key, payload []byte) string {
	plain := slices.Clone(payload)
	for i := range plain {
		plain[i] ^= key[i%4]
	}
	if len(plain) == 0 {
		return `closed 1005 ""`
	}
	code := int(plain[0])<<8 | int(plain[1])
	legal := []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}
	if !slices.Contains(legal, code) && (code < 3000 || code > 4999) {
		return "1002"
	}
	if !utf8.Valid(plain[2:]) {
		return "1007"
	}
	return fmt.Sprintf("closed %d %q", code, plain[2:])
}

// guardedParse feeds the stream to a guard in random pieces. What the guard leaves of a piece, at
// the end of a message, is a part of the next one.
func guardedParse(stream []byte, deflate bool, limit uint64, seed uint64) ([]byte, string) {
	g := NewGuard(deflate, int64(limit))
	r := rand.New(rand.NewPCG(seed, 0))
	var through []byte
	for rest := slices.Clone(stream); len(rest) > 0; {
		piece := rest[:1+r.IntN(len(rest))]
		n, err := g.Advance(piece)
		through = append(through, piece[:n]...)
		var received *CloseReceived
		var violation *Violation
		switch {
		case errors.As(err, &received):
			return through, fmt.Sprintf("closed %d %q", received.Code, received.Reason)
		case errors.As(err, &violation):
			return through, fmt.Sprint(violation.Code)
		case g.Closing():
			n = len(piece)
		case n == 0:
			return through, "nothing is let through"
		case n < len(piece) && g.InMessage():
			return through, "stopped within a message"
		}
		rest = rest[n:]
	}
	return through, ""
}

func FuzzGuard(f *testing.F) {
	for _, stream := range []string{
		"\x81\x85\x01\x02\x03\x04abcde",
		"\x01\x81\x01\x02\x03\x04a\x89\x80\x01\x02\x03\x04\x80\x81\x01\x02\x03\x04a",
		"\xc2\xfe\x00\x7e\x01\x02\x03\x04" + strings.Repeat("x", 126),
		"\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00\x01\x02\x03\x04xyz",
		"\x88\x82\x00\x00\x00\x00\x03\xe8\x81\x80",
		"\x88\x85\x01\x02\x03\x04\x02\xeaabc",
		"\x88\x80\x01\x02\x03\x04",
		"\x88\x81",
		"\x81\x01",
		"\x81\xff\x80",
		"\x41\x81\x01\x02\x03\x04a\xc0",
		"\x01\x80\x01\x02\x03\x04" + strings.Repeat("\x00\x80\x01\x02\x03\x04", 1025),
	} {
		f.Add([]byte(stream), true, uint16(100), uint64(1))
		f.Add([]byte(stream), false, uint16(65535), uint64(2))
	}
	f.Fuzz(func(t *testing.T, stream []byte, deflate bool, limit uint16, seed uint64) {
		wantThrough, want := plainParse(stream, deflate, uint64(limit))
		through, got := guardedParse(stream, deflate, uint64(limit), seed)
		if got != want || !bytes.Equal(through, wantThrough) {
			t.Errorf("got %q after %d bytes, want %q after %d", got, len(through), want, len(wantThrough))
		}
	})
}
