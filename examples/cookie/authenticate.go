package main

import (
	"context"
	"net/http"
)

// find returns the session of the request's cookie, or nil.
func (s *sessions) find(r *http.Request) *session {
	cookie, err := r.Cookie("session")
	if err != nil {
		return nil
	}
	value, _ := s.byCookie.Load(cookie.Value)
	found, ok := value.(*session)
	if !ok || found.active.Err() != nil {
		return nil
	}
	return found
}

type sessionKey struct{}

// sessionOf returns the session that authenticate has found.
func sessionOf(ctx context.Context) *session { return ctx.Value(sessionKey{}).(*session) }

// authenticate passes requests with a session on to next, which finds it in their context.
func (s *sessions) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found := s.find(r)
		if found == nil {
			http.Error(w, "log in first", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, found)))
	})
}
