package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync"
	"time"
	"unicode/utf8"
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

// login starts a session, and ends the one that the browser has had: its cookie is replaced. It
// believes everybody: yours checks a password first.
func (s *sessions) login(w http.ResponseWriter, r *http.Request) {
	user := r.PostFormValue("user")
	if user == "" || !utf8.ValidString(user) { // It is part of replies.
		http.Error(w, "a user is required", http.StatusBadRequest)
		return
	}
	if old := s.find(r); old != nil {
		old.end()
	}
	active, end := context.WithTimeout(context.Background(), s.lifetime)
	cookie := &http.Cookie{
		Name: "session", Value: rand.Text(), Path: "/", MaxAge: int(s.lifetime.Seconds()),
		HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode,
	}
	s.byCookie.Store(cookie.Value, &session{user, active, end})
	context.AfterFunc(active, func() { s.byCookie.Delete(cookie.Value) })
	http.SetCookie(w, cookie)
}

func logout(_ http.ResponseWriter, r *http.Request) { sessionOf(r.Context()).end() }
