package main

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// claims are what a token says of its bearer.
type claims struct {
	user    string
	expires time.Time
}

type claimsKey struct{}

// claimsOf returns the claims that authenticate has verified.
func claimsOf(ctx context.Context) claims { return ctx.Value(claimsKey{}).(claims) }

// authenticate passes requests with a valid token on to next, which finds its claims in their
// context.
func authenticate(verify func(token string) (claims, bool), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := verify(bearer(r))
		if !ok || !time.Now().Before(c.expires) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "a valid token is required", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, c)))
	})
}

// bearer returns the token in Authorization. Browsers cannot set that for a WebSocket, so a page
// sends its token as a subprotocol, after one that gives it away as such:
//
//	new WebSocket("wss://example.com/ws", ["bearer", token])
//
// The URL is no place for it: that gets into logs. A token must consist of the characters of
// RFC 9110 §5.6.2, as JWTs and base64url without padding do.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if scheme == "" {
		scheme, token, _ = strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), ",")
	}
	if !strings.EqualFold(strings.TrimSpace(scheme), "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
