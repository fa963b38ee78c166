package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync"
	"time"
)

type session struct {
	user   string
	active context.Context // done when the session has ended
	end    context.CancelFunc
}

// sessions are kept in memory, by the value of the cookie. Yours may be in a database.
type sessions struct {
	lifetime time.Duration
	byCookie sync.Map
}

// login starts a session. It believes everybody: yours checks a password first.
func (s *sessions) login(w http.ResponseWriter, r *http.Request) {
	active, end := context.WithTimeout(context.Background(), s.lifetime)
	cookie := &http.Cookie{
		Name: "session", Value: rand.Text(), Path: "/", MaxAge: int(s.lifetime.Seconds()),
		HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode,
	}
	s.byCookie.Store(cookie.Value, &session{r.FormValue("user"), active, end})
	context.AfterFunc(active, func() { s.byCookie.Delete(cookie.Value) })
	http.SetCookie(w, cookie)
}

func logout(_ http.ResponseWriter, r *http.Request) { sessionOf(r.Context()).end() }

type sessionKey struct{}

// sessionOf returns the session that authenticate has found.
func sessionOf(ctx context.Context) *session { return ctx.Value(sessionKey{}).(*session) }

// authenticate passes requests with a session on to next, which finds it in their context.
func (s *sessions) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("session")
		if err != nil {
			http.Error(w, "log in first", http.StatusUnauthorized)
			return
		}
		value, _ := s.byCookie.Load(cookie.Value)
		found, ok := value.(*session)
		if !ok || found.active.Err() != nil {
			http.Error(w, "the session has ended: log in again", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, found)))
	})
}
