package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/examples/internal/wstest"
	"example.com/wsecho/middleware"
)

func TestMain(m *testing.M) { wstest.Main(m) }

// post posts the user with the headers and returns the response, whose body is closed.
func post(t *testing.T, address, user string, header http.Header) *http.Response {
	t.Helper()
	form := strings.NewReader(url.Values{"user": {user}}.Encode())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, form)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := http.Client{Timeout: wstest.Timeout}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp
}

// login returns the header of the client's next requests.
func login(t *testing.T, url string) http.Header {
	t.Helper()
	resp := post(t, url+"/login", "ada", nil)
	if len(resp.Cookies()) != 1 {
		t.Fatalf("login: %v, want one cookie", resp)
	}
	cookie := resp.Cookies()[0]
	if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %v", cookie)
	}
	return http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}}
}

func TestLogin(t *testing.T) {
	url := wstest.Serve(t, newHandler(time.Hour))
	header := login(t, url)
	c := wstest.Dial(t, url+"/ws", header)
	c.Send("hi")
	c.Want("ada, you sent hi")
	post(t, url+"/logout", "", header) // ends the session, for the leak check
}

func TestRefusals(t *testing.T) {
	url := wstest.Serve(t, newHandler(time.Hour))
	session := login(t, url)
	from := func(header http.Header, origin string) http.Header {
		header = header.Clone()
		header.Set("Origin", origin)
		return header
	}
	for _, test := range []struct {
		name   string
		header http.Header
		want   int
	}{
		{"no cookie", nil, 401},
		{"unknown session", http.Header{"Cookie": {"session=forged"}}, 401},
		{"empty session", http.Header{"Cookie": {"session="}}, 401},
		{"page of its own", from(session, url), 101},
		{"page of another site", from(session, "https://evil.example"), 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			wstest.WantStatus(t, url+"/ws", test.header, test.want)
		})
	}
	resp := post(t, url+"/login", "ada", from(http.Header{}, "https://evil.example"))
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("login from another site: status %d, want 403", resp.StatusCode)
	}
	post(t, url+"/logout", "", session)
}

func TestLogout(t *testing.T) {
	url := wstest.Serve(t, newHandler(time.Hour))
	header := login(t, url)
	c, other := wstest.Dial(t, url+"/ws", header), wstest.Dial(t, url+"/ws", login(t, url))
	c.Send("hi")
	c.Want("ada, you sent hi")
	if resp := post(t, url+"/logout", "", header); resp.StatusCode != 200 {
		t.Errorf("logout: status %d, want 200", resp.StatusCode)
	}
	c.WantClose(3000, "the credentials have expired")
	wstest.WantStatus(t, url+"/ws", header, 401)
	other.Send("still here?")
	other.Want("ada, you sent still here?")
}

func TestExpiry(t *testing.T) {
	url := wstest.Serve(t, newHandler(2*time.Second))
	header := login(t, url)
	c := wstest.Dial(t, url+"/ws", header)
	c.Send("hi")
	c.Want("ada, you sent hi")
	c.WantClose(3000, "the credentials have expired")
	wstest.WantStatus(t, url+"/ws", header, 401)
}

// What cannot be a user, or is too much for one, starts no session.
func TestNoUser(t *testing.T) {
	url := wstest.Serve(t, newHandler(time.Hour))
	for _, user := range []string{"", "\xff", strings.Repeat("x", 5000)} {
		if resp := post(t, url+"/login?user=eve", user, nil); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("login of %.10q: status %d, want 400", user, resp.StatusCode)
		}
	}
}

// Logging in again ends the session whose cookie is replaced.
func TestLoginAgain(t *testing.T) {
	url := wstest.Serve(t, newHandler(time.Hour))
	header := login(t, url)
	c := wstest.Dial(t, url+"/ws", header)
	c.Send("hi")
	c.Want("ada, you sent hi")
	again := post(t, url+"/login", "grace", header).Cookies()[0]
	c.WantClose(3000, "the credentials have expired")
	wstest.WantStatus(t, url+"/ws", header, 401)
	header = http.Header{"Cookie": {again.Name + "=" + again.Value}}
	other := wstest.Dial(t, url+"/ws", header)
	other.Send("hi")
	other.Want("grace, you sent hi")
	post(t, url+"/logout", "", header)
}

// What a client sends after the session has ended is not answered, nor anything else done with it.
func TestLate(t *testing.T) {
	var messages wstest.Messages
	s := &sessions{lifetime: time.Hour}
	mux := http.NewServeMux()
	mux.HandleFunc("/login", s.login)
	mux.Handle("/logout", s.authenticate(http.HandlerFunc(logout)))
	mux.Handle("/ws", s.authenticate(middleware.New(middleware.Options{Handler: messages.Of(greet)})))
	url := wstest.Serve(t, mux)
	header := login(t, url)
	c := wstest.Dial(t, url+"/ws", header)
	c.Send("hi")
	c.Want("ada, you sent hi")
	c.SendWhenClosed("late")
	post(t, url+"/logout", "", header)
	c.WantClose(3000, "the credentials have expired")
	messages.Want(t, "hi")
}
