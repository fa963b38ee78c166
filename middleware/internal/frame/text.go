package frame

import "unicode/utf8"

// TextChecker checks that text in pieces is UTF-8 (RFC 6455 §8.1). It fails at the first byte that
// cannot be part of valid UTF-8. The zero value is ready for the first piece.
type TextChecker struct {
	rune [utf8.UTFMax]byte // the incomplete character at the end of the last piece
	n    uint8             // of its bytes
}

// Check checks the next piece, which is the last one if ends is true. The error is a [*Violation].
func (c *TextChecker) Check(p []byte, ends bool) error {
	if !c.valid(p) || ends && c.n > 0 {
		return violation(InvalidPayload, "text is not UTF-8")
	}
	return nil
}

func (c *TextChecker) valid(p []byte) bool {
	for c.n > 0 && len(p) > 0 {
		c.rune[c.n] = p[0]
		c.n++
		p = p[1:]
		if !utf8.FullRune(c.rune[:c.n]) {
			continue
		}
		if r, size := utf8.DecodeRune(c.rune[:c.n]); r == utf8.RuneError && size == 1 {
			return false
		}
		c.n = 0
	}
	end := len(p)
	for i := len(p) - 1; i >= max(0, len(p)-utf8.UTFMax+1); i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				end = i
			}
			break
		}
	}
	if !utf8.Valid(p[:end]) {
		return false
	}
	if end < len(p) {
		c.n = uint8(copy(c.rune[:], p[end:]))
	}
	return true
}
