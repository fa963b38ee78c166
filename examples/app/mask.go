package main

import (
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// A masker replaces credentials in what an inspector reports, as the access log does too. It errs on
// the side of masking.
type masker struct{ off bool }

const masked = "[masked]"

// secretWords are in the names of headers and parameters whose values are credentials.
var secretWords = []string{
	"assertion", "auth", "cookie", "credential", "csrf", "jwt", "key", "pass", "pwd", "secret",
	"sessid", "session", "signature", "ticket", "token", "xsrf",
}

var secretWord = `(?:` + strings.Join(secretWords, "|") + `)`

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

func isSecret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(secretWords, func(s string) bool { return strings.Contains(name, s) })
}

func (m masker) headers(h http.Header) http.Header {
	if m.off {
		return h
	}
	out := make(http.Header, len(h))
	for name, values := range h {
		switch {
		case name == "Sec-Websocket-Key": // which is a nonce
			out[name] = values
		case name == "Sec-Websocket-Protocol":
			out[name] = maskProtocols(values)
		case isSecret(name):
			out[name] = slices.Repeat([]string{masked}, len(values))
		default:
			out[name] = make([]string, len(values))
			for i, value := range values {
				out[name][i] = maskText(value, maxEscapes)
			}
		}
	}
	return out
}

func (m masker) query(raw string) string {
	if m.off {
		return raw
	}
	return maskText(raw, maxEscapes)
}

// maxEscapes is how often a URL within a URL may be escaped.
const maxEscapes = 3

const maxText = 8 << 10

var (
	words  = regexp.MustCompile(`[^&;\s]+`)
	escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}|\+`)
)

// maskText masks credentials in a query, or in a header such as Referer. It changes nothing else:
// not the order, and not the escapes. Where unescaping uncovers credentials, all is masked. So is a
// text of more than maxText bytes: searching it would let a client use up the server's time.
func maskText(s string, escapes int) string {
	if len(s) > maxText {
		return masked
	}
	s = secretValues.ReplaceAllString(s, masked)
	s = secretPairs.ReplaceAllString(s, "${1}"+masked)
	if escapes == 0 || !escape.MatchString(s) {
		return s
	}
	return words.ReplaceAllStringFunc(s, func(word string) string {
		plain := unescape(word)
		if plain == word || maskText(plain, escapes-1) == plain {
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
		if e == "+" {
			return " "
		}
		b, _ := hex.DecodeString(e[1:])
		return string(b)
	})
}

// announcing is the end of subprotocols that say that a token comes next, such as "id_token".
var announcing = regexp.MustCompile(
	`(?:authorization|basic|bearer|` + secretWord + `)$`)

// maskProtocols masks tokens in the client's subprotocols: those after one such as "bearer", and
// those with such a word in them, as for Kubernetes, "base64url.bearer.authorization.k8s.io.TOKEN".
func maskProtocols(lines []string) []string {
	out := make([]string, len(lines))
	after := false
	for i, line := range lines {
		protocols := strings.Split(line, ",")
		for j, protocol := range protocols {
			p := strings.ToLower(strings.TrimSpace(protocol))
			announces := p == "access_token" || p == "authorization" || p == "basic" ||
				p == "bearer" || slices.Contains(secretWords, p)
			secret := strings.Contains(p, "bearer") || isSecret(p) || secretValues.MatchString(protocol)
			if !announces && p != "" && (after || secret) {
				protocols[j] = strings.Replace(protocol, strings.TrimSpace(protocol), masked, 1)
			}
			after = after || announcing.MatchString(p)
		}
		out[i] = strings.Join(protocols, ",")
	}
	return out
}

// selected masks the subprotocol that was selected if it is masked in the client's.
func (m masker) selected(subprotocol string, h http.Header) string {
	if m.off || subprotocol == "" {
		return subprotocol
	}
	shown := strings.Join(maskProtocols(h["Sec-Websocket-Protocol"]), ",")
	for _, p := range strings.Split(shown, ",") {
		if strings.TrimSpace(p) == subprotocol {
			return subprotocol
		}
	}
	return masked
}
