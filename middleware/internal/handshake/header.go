package handshake

import (
	"iter"
	"net/http"
	"strings"
)

// listElements yields the elements of a comma-separated list on all lines of a header, without
// empty elements, which a recipient must ignore (RFC 9110 §5.6.1.2).
func listElements(h http.Header, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range h[name] {
			for element := range strings.SplitSeq(line, ",") {
				element = strings.Trim(element, " \t")
				if element != "" && !yield(element) {
					return
				}
			}
		}
	}
}

// hasToken reports whether the list contains token, ignoring the case of ASCII letters.
func hasToken(h http.Header, name, token string) bool {
	for element := range listElements(h, name) {
		// Unicode folding equates other letters with ASCII, but they take more bytes.
		if len(element) == len(token) && strings.EqualFold(element, token) {
			return true
		}
	}
	return false
}

// isToken reports whether s is a token (RFC 9110 §5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isTokenByte(b byte) bool {
	return isAlphanumeric(b) || strings.IndexByte("!#$%&'*+-.^_`|~", b) >= 0
}

func isAlphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}
