package main

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
)

// Credentials are masked in what an inspector reports and in the access log: whole values, and
// rather too many than too few. Where a credential ends within a value, nobody knows.
const masked = "[masked]"

// secretWords are in names whose values are credentials, and in the schemes of HTTP authentication.
var secretWords = []string{
	"assertion", "auth", "authorization", "basic", "bearer", "code", "cookie", "cred", "csrf",
	"digest", "hmac", "jwt", "key", "otp", "pass", "pin", "pw", "saml", "secret", "sessid", "session",
	"sid", "sig", "ticket", "token", "xsrf",
}

// A text that is escaped maxEscapes times is masked, whatever it says. Some escapes are usual: a
// query may have a URL that has a query.
const maxEscapes = 5

// uncovers reports whether found is true of s, or of s with its escapes undone.
func uncovers(s string, found func(string) bool) bool {
	for range maxEscapes {
		if found(s) {
			return true
		}
		plain := unescape(s)
		if plain == s {
			return false
		}
		s = plain
	}
	return true
}

// unescape leaves what is no escape as it is.
func unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	plain := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		b := s[i]
		if b == '+' {
			b = ' '
		} else if b == '%' && i+2 < len(s) {
			if octet, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b = octet[0]
				i += 2
			}
		}
		plain = append(plain, b)
	}
	return string(plain)
}

func isSecret(s string) bool { return hasCredentials(s) || uncovers(s, hasSecretWord) }

func hasSecretWord(s string) bool {
	s = strings.ToLower(s)
	return slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(s, word) })
}

// hasCredentials looks for JSON in base64, as in JSON Web Tokens, and for user:password@host.
func hasCredentials(s string) bool {
	return uncovers(s, func(s string) bool {
		colon := strings.IndexByte(s, ':')
		return strings.Contains(s, "eyJ") || strings.Contains(s, "ewog") ||
			colon >= 0 && strings.Contains(s[colon:], "@")
	})
}

// maskQuery keeps the names of parameters.
func maskQuery(query string) string {
	parameters := strings.Split(query, "&")
	for i, p := range parameters {
		switch name, _, ok := strings.Cut(p, "="); {
		case !isSecret(p):
		case ok && isPlain(name) && !hasCredentials(name):
			parameters[i] = name + "=" + masked
		default:
			parameters[i] = masked
		}
	}
	return strings.Join(parameters, "&")
}

func isPlain(name string) bool {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.[]"
	return strings.Trim(name, plain) == ""
}

func maskURI(uri string) string {
	path, query, ok := strings.Cut(uri, "?")
	if path = maskPath(path); !ok {
		return path
	}
	return path + "?" + maskQuery(query)
}

// maskPath masks segments that have credentials, or parameters with such names.
func maskPath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if hasCredentials(s) || strings.Contains(unescape(s), "=") && isSecret(s) {
			segments[i] = masked
		}
	}
	return strings.Join(segments, "/")
}

// publicHeaders may have any word in their values.
var publicHeaders = map[string]bool{
	"Accept": true, "Accept-Encoding": true, "Accept-Language": true, "Connection": true,
	"Origin": true, "Sec-Websocket-Extensions": true, "Sec-Websocket-Key": true,
	"Sec-Websocket-Version": true, "Upgrade": true, "User-Agent": true, "X-Forwarded-For": true,
	"X-Forwarded-Host": true, "X-Forwarded-Proto": true,
}

func maskHeaders(h http.Header) http.Header {
	out := h.Clone()
	for name, values := range out {
		if name == "Sec-Websocket-Protocol" {
			maskProtocols(values)
			continue
		}
		for i, value := range values {
			if hasCredentials(value) || !publicHeaders[name] && (isSecret(name) || isSecret(value)) {
				values[i] = masked
			}
		}
	}
	return out
}

// maskProtocols masks tokens in the client's subprotocols: those with a secret word in them, as for
// Kubernetes, "base64url.bearer.authorization.k8s.io.TOKEN", and all after one that ends with such
// a word. "bearer" itself is not masked.
func maskProtocols(lines []string) {
	after := false
	for i, line := range lines {
		protocols := strings.Split(line, ",")
		for j, p := range protocols {
			protocols[j] = strings.TrimSpace(p)
			if (after || isSecret(p)) && !isHarmless(protocols[j]) {
				protocols[j] = masked
			}
			after = after || announces(strings.TrimSpace(p))
		}
		lines[i] = strings.Join(protocols, ", ")
	}
}

// announces reports whether the subprotocol says that a token comes next, as "id_token" does.
func announces(protocol string) bool {
	protocol = strings.ToLower(protocol)
	return slices.ContainsFunc(secretWords, func(word string) bool {
		return strings.HasSuffix(protocol, word)
	})
}

// isHarmless reports whether the subprotocol is certainly no token itself.
func isHarmless(protocol string) bool {
	protocol = strings.ToLower(protocol)
	return slices.Contains(secretWords, protocol) || protocol == "access_token"
}

// maskSelected masks the subprotocol that was selected if it is masked in the client's, whose
// headers these are.
func maskSelected(subprotocol string, shown http.Header) string {
	for _, line := range shown["Sec-Websocket-Protocol"] {
		if slices.Contains(strings.Split(line, ", "), subprotocol) {
			return subprotocol
		}
	}
	if subprotocol == "" {
		return ""
	}
	return masked
}
