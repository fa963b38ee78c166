package frame

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestIsCloseCode(t *testing.T) {
	// The codes of RFC 6455 §7.4.1 that may be sent, and those that the IANA registry has added.
	registered := []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}
	for code := range 65536 {
		// RFC 6455 §7.4.2: 3000 to 3999 for libraries, 4000 to 4999 for private use.
		want := slices.Contains(registered, code) || code >= 3000 && code <= 4999
		if got := IsCloseCode(code); got != want {
			t.Errorf("IsCloseCode(%d) = %v", code, got)
		}
	}
	for _, code := range []int{-1, -1000, 65536, 65536 + 1000} {
		if IsCloseCode(code) {
			t.Errorf("IsCloseCode(%d) = true", code)
		}
	}
}

func TestClosePayload(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, test := range []struct {
		name   string
		code   int
		reason string
		want   string
	}{
		{"code alone", 1000, "", "\x03\xe8"},
		{"reason", 1001, "bye", "\x03\xe9bye"},
		{"largest code", 4999, "", "\x13\x87"},
		{"no code", 1005, "", ""},
		{"no code, reason dropped", 1005, "bye", ""},
		{"reason of 123 bytes", 1000, x(123), "\x03\xe8" + x(123)},
		{"reason of 124 bytes", 1000, x(124), "\x03\xe8" + x(123)},
		{"reason of 5000 bytes", 1000, x(5000), "\x03\xe8" + x(123)},
		{"two bytes that fit", 1000, x(121) + "\xc3\xbc", "\x03\xe8" + x(121) + "\xc3\xbc"},
		{"two bytes that do not", 1000, x(122) + "\xc3\xbc", "\x03\xe8" + x(122)},
		{"three bytes that fit", 1000, x(120) + "\xe4\xb8\x96x", "\x03\xe8" + x(120) + "\xe4\xb8\x96"},
		{"three bytes, two of which fit", 1000, x(121) + "\xe4\xb8\x96", "\x03\xe8" + x(121)},
		{"four bytes that fit", 1000, x(119) + "\xf0\x9f\x8c\x8d", "\x03\xe8" + x(119) + "\xf0\x9f\x8c\x8d"},
		{"four bytes, three of which fit", 1000, x(120) + "\xf0\x9f\x8c\x8d", "\x03\xe8" + x(120)},
		{"four bytes, one of which fits", 1000, x(122) + "\xf0\x9f\x8c\x8d", "\x03\xe8" + x(122)},
		{"invalid byte", 1000, "a\xffb", "\x03\xe8a\xef\xbf\xbdb"},
		{"character cut off", 1000, "a\xf0\x9f\x8c", "\x03\xe8a\xef\xbf\xbd"},
		{"surrogate", 1000, "\xed\xa0\x80", "\x03\xe8\xef\xbf\xbd"},
		{"replacement that does not fit", 1000, x(121) + "\xff", "\x03\xe8" + x(121)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := ClosePayload(test.code, test.reason); string(got) != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// FuzzClosePayload has the guard read the payload: it accepts what may be sent, and reports the
// same code and the same reason, as far as it fits.
func FuzzClosePayload(f *testing.F) {
	for _, reason := range []string{
		"", "bye", "a\xff", strings.Repeat("x", 122) + "\xc3\xbc", strings.Repeat("\xff", 200),
	} {
		f.Add(1000, reason)
		f.Add(1005, reason)
		f.Add(65536+1000, reason)
	}
	f.Fuzz(func(t *testing.T, code int, reason string) {
		payload := string(ClosePayload(code, reason))
		if code == 1005 {
			if payload != "" {
				t.Errorf("no code, but %q", payload)
			}
			return
		}
		if len(payload) < 2 || len(payload) > 125 || !utf8.ValidString(payload[2:]) {
			t.Fatalf("%d bytes: %q", len(payload), payload)
		}
		whole := strings.ToValidUTF8(reason, "\uFFFD")
		rest, ok := strings.CutPrefix(whole, payload[2:])
		_, next := utf8.DecodeRuneInString(rest)
		if !ok || rest != "" && len(payload)+next <= 125 {
			t.Errorf("reason %q cut to %q", whole, payload[2:])
		}
		if !IsCloseCode(code) {
			return
		}
		g := NewGuard(false, 0)
		_, err := g.Advance(maskedFrame(0x88, payload))
		var received *CloseReceived
		if !errors.As(err, &received) || received.Code != code || received.Reason != payload[2:] {
			t.Errorf("payload %q of code %d: %v", payload, code, err)
		}
	})
}

// maskedFrame is a frame with a short payload, as a client sends it.
func maskedFrame(first byte, payload string) []byte {
	b := append([]byte{first, 0x80 | byte(len(payload)), 1, 2, 3, 4}, payload...)
	for i := range len(payload) {
		b[6+i] ^= byte(i%4 + 1)
	}
	return b
}
