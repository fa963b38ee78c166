package middleware

import (
	"unicode/utf8"
)

// textChecker checks text that arrives in pieces, and finds it out as soon as no continuation
// could make it UTF-8 (RFC 6455 §8.1).
type textChecker struct {
	rune [utf8.UTFMax]byte // the beginning of a character that the last piece ended in
	n    int
}

// valid reports whether the text so far is UTF-8, or may still become it.
func (c *textChecker) valid(p []byte) bool {
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
		c.n = copy(c.rune[:], p[end:])
	}
	return true
}

// complete reports whether the text ends with a whole character.
func (c *textChecker) complete() bool { return c.n == 0 }
