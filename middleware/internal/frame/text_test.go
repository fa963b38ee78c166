package frame

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Each text is checked in one piece, byte by byte, and in two pieces cut at every byte. The check
// fails with the first byte that makes the text hopeless; valid is the number of bytes before it.
func TestTextChecker(t *testing.T) {
	for _, test := range []struct {
		name, text string
		valid      int
		complete   bool // if all bytes are valid
	}{
		{"empty", "", 0, true},
		{"ASCII", "\x00abc\x7f", 5, true},
		{"two bytes", "\xc3\xbc", 2, true},
		{"three bytes", "\xe4\xb8\x96", 3, true},
		{"four bytes", "\xf0\x9f\x8c\x8d", 4, true},
		{"mixed", "gr\xc3\xbc\xc3\x9fe \xe4\xb8\x96 \xf0\x9f\x8c\x8d!", 17, true},
		{"U+0080", "\xc2\x80", 2, true},
		{"U+07FF", "\xdf\xbf", 2, true},
		{"U+0800", "\xe0\xa0\x80", 3, true},
		{"U+D7FF", "\xed\x9f\xbf", 3, true},
		{"U+E000", "\xee\x80\x80", 3, true},
		{"U+FFFD", "\xef\xbf\xbd", 3, true},
		{"U+FFFF", "\xef\xbf\xbf", 3, true},
		{"U+10000", "\xf0\x90\x80\x80", 4, true},
		{"U+10FFFF", "\xf4\x8f\xbf\xbf", 4, true},
		{"ends within two bytes", "a\xc3", 2, false},
		{"ends within three bytes", "a\xe4\xb8", 3, false},
		{"ends within four bytes", "a\xf0\x9f\x8c", 4, false},
		{"never a byte of UTF-8", "a\xff", 1, false},
		{"continuation byte first", "\x80", 0, false},
		{"continuation byte too many", "\xc3\xbc\x80", 2, false},
		{"continuation byte missing", "\xe4\xb8a", 2, false},
		{"two leading bytes", "\xc3\xc3", 1, false},
		{"overlong in two bytes", "\xc0\xaf", 0, false},
		{"overlong in three bytes", "\xe0\x9f\xbf", 1, false},
		{"overlong in four bytes", "\xf0\x8f\xbf\xbf", 1, false},
		{"first surrogate", "a\xed\xa0\x80", 2, false},
		{"last surrogate", "a\xed\xbf\xbf", 2, false},
		{"above U+10FFFF", "\xf4\x90\x80\x80", 1, false},
		{"five bytes", "\xf8\x88\x80\x80\x80", 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkBytes(t, test.text, test.valid, test.complete)
			allValid := test.valid == len(test.text)
			for cut := range len(test.text) + 1 {
				var c TextChecker
				head, tail := []byte(test.text[:cut]), []byte(test.text[cut:])
				if err := c.Check(head, false); (err == nil) != (cut <= test.valid) {
					t.Errorf("first %d bytes: %v", cut, err)
				} else if err != nil {
					continue
				}
				if err := c.Check(tail, true); (err == nil) != (allValid && test.complete) {
					t.Errorf("the end behind %d bytes: %v", cut, err)
				}
			}
		})
	}
}

// checkBytes checks the text byte by byte.
func checkBytes(t *testing.T, text string, valid int, complete bool) {
	t.Helper()
	const want = "1007 text is not UTF-8"
	var c TextChecker
	for i := range len(text) {
		err := c.Check([]byte{text[i]}, false)
		if i == valid && verdict(err) != want || i < valid && err != nil {
			t.Errorf("byte %d: %v", i, err)
		}
		if err != nil {
			return
		}
	}
	if err := c.Check(nil, true); complete && err != nil || !complete && verdict(err) != want {
		t.Errorf("the end: %v", err)
	}
}

// A character may be spread over pieces with empty ones between.
func TestTextCheckerEmptyPieces(t *testing.T) {
	var c TextChecker
	for _, piece := range strings.SplitAfter("\xf0|\x9f|\x8c|\x8d|a", "|") {
		for _, p := range []string{"", strings.TrimSuffix(piece, "|"), ""} {
			if err := c.Check([]byte(p), false); err != nil {
				t.Fatalf("%q: %v", p, err)
			}
		}
	}
	if err := c.Check(nil, true); err != nil {
		t.Error(err)
	}
}

// FuzzText compares a text in two pieces with the text as a whole. The pieces may be given up
// before the end only if no end could mend them.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "abc", "grüße", "世界", "🌍", "\xf4\x8f\xbf\xbf", "\xf4\x90", "\xed\xa0\x80", "\xc0\xaf", "a\x80", "\xf0\x9f\x8c"} {
		f.Add([]byte(s), uint(1), uint(2))
	}
	f.Fuzz(func(t *testing.T, p []byte, i, j uint) {
		from := int(i % uint(len(p)+1))
		to := from + int(j%uint(len(p)-from+1))
		var c TextChecker
		valid := c.Check(p[:from], false) == nil && c.Check(p[from:to], false) == nil &&
			c.Check(p[to:], false) == nil
		if got := valid && c.Check(nil, true) == nil; got != utf8.Valid(p) {
			t.Errorf("in pieces %v, as a whole %v", got, utf8.Valid(p))
		}
		if hopeful := mayBecomeText(p); valid != hopeful {
			t.Errorf("valid so far %v, but could become text %v", valid, hopeful)
		}
	})
}

// mayBecomeText tries all ends that could matter.
func mayBecomeText(p []byte) bool {
	for _, end := range []string{"", "\x80", "\x80\x80", "\x80\x80\x80", "\xbf", "\xbf\x80", "\xbf\x80\x80"} {
		if utf8.Valid(append(slices.Clone(p), end...)) {
			return true
		}
	}
	return false
}
