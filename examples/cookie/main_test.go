package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
)

func TestMain(m *testing.M) { wstest.Main(m) }

var expired = wstest.Close(3000, "the credentials have expired")

// post posts the user with the header lines and returns the response, whose body is closed.
func post(t *testing.T, s *wstest.Server, path, user string, header ...string) *http.Response {
	t.Helper()
	form := strings.NewReader(url.Values{"user": {user}}.Encode())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://example.com"+path, form)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp
}

// login returns the header line of the client's next requests, among which may be another login.
func login(t *testing.T, s *wstest.Server, user string, header ...string) string {
	t.Helper()
	resp := post(t, s, "/login", user, header...)
	if len(resp.Cookies()) != 1 {
		t.Fatalf("login: %v, want one cookie", resp)
	}
	cookie := resp.Cookies()[0]
	if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %v", cookie)
	}
	return "Cookie: " + cookie.Name + "=" + cookie.Value
}

func wantStatus(t *testing.T, s *wstest.Server, want int, header ...string) {
	t.Helper()
	if got := s.Connect().Handshake("/ws", header...).StatusCode; got != want {
		t.Errorf("handshake with %q: status %d, want %d", header, got, want)
	}
}

// connect returns a client that is greeted as the user.
func connect(s *wstest.Server, cookie, user string) *wstest.Client {
	c := s.Dial("/ws", cookie)
	greeted(c, user)
	return c
}

func greeted(c *wstest.Client, user string) {
	c.Send(wstest.Text("hi"))
	c.Want(wstest.Text(user + ", you sent hi"))
}

func TestRefusals(t *testing.T) {
	s := wstest.NewServer(t, newHandler(time.Hour))
	cookie := login(t, s, "ada")
	const own, other = "Origin: http://example.com", "Origin: https://evil.example"
	wantStatus(t, s, 401)
	wantStatus(t, s, 401, "Cookie: session=forged")
	wantStatus(t, s, 401, "Cookie: session=")
	wantStatus(t, s, 101, cookie, own)
	wantStatus(t, s, 403, cookie, other)
	if resp := post(t, s, "/login", "ada", other); resp.StatusCode != http.StatusForbidden {
		t.Errorf("login from another site: status %d, want 403", resp.StatusCode)
	}
}

func TestLogout(t *testing.T) {
	s := wstest.NewServer(t, newHandler(time.Hour))
	cookie := login(t, s, "ada")
	c, other := connect(s, cookie, "ada"), connect(s, login(t, s, "ada"), "ada")
	if resp := post(t, s, "/logout", "", cookie); resp.StatusCode != 200 {
		t.Errorf("logout: status %d, want 200", resp.StatusCode)
	}
	c.Want(expired)
	wantStatus(t, s, 401, cookie)
	greeted(other, "ada")
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wstest.NewServer(t, newHandler(2*time.Second))
		cookie := login(t, s, "ada")
		c := connect(s, cookie, "ada")
		time.Sleep(2*time.Second - 1)
		greeted(c, "ada")
		c.Want(expired)
		wantStatus(t, s, 401, cookie)
	})
}

// What cannot be a user, or is too much for one, starts no session.
func TestNoUser(t *testing.T) {
	s := wstest.NewServer(t, newHandler(time.Hour))
	for _, user := range []string{"", "\xff", strings.Repeat("x", 5000)} {
		if resp := post(t, s, "/login?user=eve", user); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("login of %.10q: status %d, want 400", user, resp.StatusCode)
		}
	}
}

// Logging in again ends the session whose cookie is replaced.
func TestLoginAgain(t *testing.T) {
	s := wstest.NewServer(t, newHandler(time.Hour))
	cookie := login(t, s, "ada")
	c := connect(s, cookie, "ada")
	again := login(t, s, "grace", cookie)
	c.Want(expired)
	wantStatus(t, s, 401, cookie)
	connect(s, again, "grace")
}

// What a client sends after the session has ended is not answered, nor anything else done with it.
func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var handled []string
		ws := middleware.New(middleware.Options{Handler: middleware.PerConn(
			func(ctx context.Context, c *middleware.Conn) (middleware.MessageFunc, error) {
				answer, err := greet(ctx, c)
				return func(w io.Writer, m *middleware.Message) error {
					handled = append(handled, string(m.Data))
					return answer(w, m)
				}, err
			})})
		sessions := &sessions{lifetime: time.Minute}
		mux := http.NewServeMux()
		mux.HandleFunc("/login", sessions.login)
		mux.Handle("/logout", sessions.authenticate(http.HandlerFunc(logout)))
		mux.Handle("/ws", sessions.authenticate(ws))
		s := wstest.NewServer(t, mux)
		cookie := login(t, s, "ada")
		c := connect(s, cookie, "ada")
		post(t, s, "/logout", "", cookie)
		c.Want(expired)
		c.Send(wstest.Text("late"), expired)
		c.WantEnd()
		if want := []string{"hi"}; !slices.Equal(handled, want) {
			t.Errorf("handled %q, want %q", handled, want)
		}
	})
}
