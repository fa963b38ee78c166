package main

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Credentials are masked in what an inspector reports and in the access log, rather too many than
// too few.
const masked = "[masked]"

// secretWord is in the names of headers and parameters whose values are credentials.
const secretWord = `(?:assertion|auth|bearer|cookie|credential|csrf|jwt|key|pass|pwd|secret|` +
	`sessid|session|signature|ticket|token|xsrf)`

var secretName = regexp.MustCompile(`(?i)` + secretWord)

// secretPairs are parameters with such names, or with short ones, as in URLs, Forwarded and JSON.
// A value ends where that of a query does, or with its quotes.
var secretPairs = regexp.MustCompile(
	`(?i)((?:(?:^|[?&])[^=&\s?]*` + secretWord + `[^=&\s?]*=)|` +
		`(?:` + secretWord + `[^"=:&;\s/?#]*|\b(?:code|otp|sid|sig))(?:=|"\s*:\s*))` +
		`(?:"(?:[^"\\]|\\.)*"?[^&;\s,]*|(?:[^&\s]*[^&;\s,])?)`)

// secretValues are credentials whatever the name: those of HTTP authentication, JSON Web Tokens,
// and what is before the @ of a URL.
var secretValues = regexp.MustCompile(
	`(?i:\b(?:basic|bearer)(?: |%20|\+)+[^\s,;&"]+)|eyJ[\w-]+(?:\.[\w-]*){2,4}|://[^/?#\s]+@`)

func maskHeaders(h http.Header) http.Header {
	out := h.Clone()
	for name, values := range out {
		if name == "Sec-Websocket-Protocol" {
			maskProtocols(values)
			continue
		}
		for i, value := range values {
			switch {
			case name == "Sec-Websocket-Key": // which is a nonce
			case secretName.MatchString(name):
				values[i] = masked
			default:
				values[i] = maskText(value, maxHeader)
			}
		}
	}
	return out
}

// Longer texts are masked as a whole: searching them would let a client use up the server's time,
// a millisecond for each KiB.
const (
	maxHeader = 8 << 10 // and query, in a report
	maxLogged = 1 << 10 // of every request
)

// maskText masks credentials in a query, or in a header such as Referer. It changes nothing else:
// not the order, and not the escapes. Where unescaping uncovers credentials, all is masked, and if
// there are more than longest bytes.
func maskText(s string, longest int) string {
	if len(s) > longest {
		return masked
	}
	return maskEscaped(s, 3)
}

var (
	words  = regexp.MustCompile(`[^&;\s]+`)
	escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}|\+`)
)

// maskEscaped unescapes as often as escapes says: a query may have a URL that has one.
func maskEscaped(s string, escapes int) string {
	s = secretValues.ReplaceAllString(s, masked)
	s = secretPairs.ReplaceAllString(s, "${1}"+masked)
	if escapes == 0 {
		return s
	}
	return words.ReplaceAllStringFunc(s, func(word string) string {
		plain := unescape(word)
		if plain == word || maskEscaped(plain, escapes-1) == plain {
			return word
		}
		if name, _, ok := strings.Cut(word, "="); ok {
			return name + "=" + masked
		}
		return masked
	})
}

// unescape leaves what is no escape as it is.
func unescape(s string) string {
	return escape.ReplaceAllStringFunc(s, func(e string) string {
		e, _ = url.QueryUnescape(e)
		return e
	})
}

var (
	protocol = regexp.MustCompile(`[^,\s]+`)
	// announcing is the end of subprotocols that say that a token comes next, such as "id_token".
	announcing = regexp.MustCompile(`(?i)(?:authorization|basic|` + secretWord + `)$`)
	// harmless are those that are certainly no token themselves.
	harmless = regexp.MustCompile(`(?i)^(?:access_token|authorization|basic|` + secretWord + `)$`)
)

// maskProtocols masks tokens in the client's subprotocols: those after one such as "bearer", and
// those with such a word in them, as for Kubernetes, "base64url.bearer.authorization.k8s.io.TOKEN".
func maskProtocols(lines []string) {
	after := false
	for i, line := range lines {
		lines[i] = protocol.ReplaceAllStringFunc(line, func(p string) string {
			secret := after || secretName.MatchString(p) || secretValues.MatchString(p)
			after = after || announcing.MatchString(p)
			if secret && !harmless.MatchString(p) {
				return masked
			}
			return p
		})
	}
}

// maskSelected masks the subprotocol that was selected if it is masked in the client's, whose
// headers these are.
func maskSelected(subprotocol string, shown http.Header) string {
	offered := strings.Join(shown["Sec-Websocket-Protocol"], ",")
	if subprotocol == "" || slices.Contains(protocol.FindAllString(offered, -1), subprotocol) {
		return subprotocol
	}
	return masked
}
