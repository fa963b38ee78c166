package main

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A masker replaces credentials in what an inspector reports. It errs on the side of masking.
type masker struct{ off bool }

const masked = "[masked]"

// secretWords are in the names of headers and parameters whose values are credentials.
var secretWords = []string{
	"auth", "cookie", "credential", "jwt", "key", "pass", "pwd", "secret", "session", "signature",
	"ticket", "token",
}

// secretValues are credentials whatever the name: those of HTTP authentication, JSON Web Tokens,
// and what is before the @ of a URL.
var secretValues = regexp.MustCompile(
	`(?i:\b(?:basic|bearer)(?: |%20|\+)+[^\s,;&"]+)|\beyJ[\w-]+\.[\w-]+\.[\w-]*|://[^/?#@\s]+@`)

func isSecret(name string) bool {
	name = strings.ToLower(name)
	return name != "sec-websocket-key" && // which is a nonce
		slices.ContainsFunc(secretWords, func(s string) bool { return strings.Contains(name, s) })
}

func (m masker) headers(h http.Header) http.Header {
	if m.off {
		return h
	}
	out := make(http.Header, len(h))
	for name, values := range h {
		switch {
		case name == "Sec-Websocket-Protocol":
			out[name] = maskProtocols(values)
		case isSecret(name):
			out[name] = slices.Repeat([]string{masked}, len(values))
		default:
			out[name] = make([]string, len(values))
			for i, value := range values {
				out[name][i] = maskValue(value)
			}
		}
	}
	return out
}

// maskValue masks parts of a value that may be or have a URL, as of Referer and X-Original-URI.
func maskValue(s string) string {
	if before, query, ok := strings.Cut(s, "?"); ok {
		s = before + "?" + maskQuery(query)
	}
	return secretValues.ReplaceAllString(s, masked)
}

func (m masker) query(raw string) string {
	if m.off {
		return raw
	}
	return maskQuery(raw)
}

// maskQuery changes nothing else: not the order, and not the escapes.
func maskQuery(raw string) string {
	pairs := strings.Split(raw, "&")
	for i, pair := range pairs {
		name, _, ok := strings.Cut(pair, "=")
		decoded, err := url.QueryUnescape(name)
		if err != nil {
			decoded = name
		}
		if ok && isSecret(decoded) {
			pairs[i] = name + "=" + masked
		}
	}
	return secretValues.ReplaceAllString(strings.Join(pairs, "&"), masked)
}

// maskProtocols masks tokens in the client's subprotocols: those after one such as "bearer", and
// those with such a word in them, as for Kubernetes, "base64url.bearer.authorization.k8s.io.TOKEN".
func maskProtocols(lines []string) []string {
	out := make([]string, len(lines))
	after := false
	for i, line := range lines {
		protocols := strings.Split(line, ",")
		for j, protocol := range protocols {
			p := strings.ToLower(strings.TrimSpace(protocol))
			announces := p == "bearer" || slices.Contains(secretWords, p) ||
				p == "access_token" || p == "authorization"
			secret := strings.Contains(p, "bearer") || isSecret(p) || secretValues.MatchString(protocol)
			if !announces && p != "" && (after || secret) {
				protocols[j] = strings.Replace(protocol, strings.TrimSpace(protocol), masked, 1)
			}
			after = after || announces
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
