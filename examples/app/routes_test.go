package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestRoutes(t *testing.T) {
	a := start(t)
	const html, text = "text/html; charset=utf-8", "text/plain; charset=utf-8"
	const css, js = "text/css; charset=utf-8", "text/javascript; charset=utf-8"
	for _, test := range []struct {
		method, path string
		status       int
		contentType  string
		body         string // a substring
	}{
		{"GET", "", 200, html, `<body data-ws-path="/ws" data-read-limit="1048576">`},
		{"GET", "users", 200, text, "respond with a resource"},
		{"GET", "stylesheets/style.css", 200, css, "color-scheme: light dark"},
		{"GET", "stylesheets/icon.svg", 200, "image/svg+xml", "<svg"},
		{"GET", "javascripts/console.js", 200, js, "connect();"},
		{"GET", "javascripts/socket.js", 200, js, "new WebSocket"},
		{"HEAD", "", 200, html, ""},
		{"HEAD", "users", 200, text, ""},
		{"POST", "", 405, text, "Method Not Allowed\n"},
		{"DELETE", "users", 405, text, "Method Not Allowed\n"},
		{"PUT", "stylesheets/style.css", 405, text, "Method Not Allowed\n"},
		{"GET", "nothing", 404, html, "<h1>Not Found</h1>"},
		{"POST", "nothing", 404, html, "<h1>Not Found</h1>"},
		{"GET", "users/1", 404, html, "<h1>Not Found</h1>"},
		{"GET", "index.html", 404, html, "<h1>Not Found</h1>"},
		{"GET", "stylesheets/", 404, html, "<h1>Not Found</h1>"},
		{"GET", "javascripts/", 404, html, "<h1>Not Found</h1>"},
		{"GET", "javascripts/none.js", 404, html, "<h1>Not Found</h1>"},
		{"GET", "ws", 404, html, "<h1>Not Found</h1>"},
	} {
		t.Run(test.method+" /"+test.path, func(t *testing.T) {
			resp, body := request(t, test.method, a.web+test.path)
			if resp.StatusCode != test.status {
				t.Errorf("status %d, want %d", resp.StatusCode, test.status)
			}
			if got := resp.Header.Get("Content-Type"); got != test.contentType {
				t.Errorf("Content-Type %q, want %q", got, test.contentType)
			}
			if got := resp.Header.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options %q, want nosniff", got)
			}
			if !strings.Contains(body, test.body) {
				t.Errorf("body %q, want it to contain %q", body, test.body)
			}
			if allow := resp.Header.Get("Allow"); (allow == "GET, HEAD") != (test.status == 405) {
				t.Errorf("Allow %q with status %d", allow, resp.StatusCode)
			}
		})
	}
}

func TestUsersIsExactlyExpress(t *testing.T) {
	if _, body := request(t, "GET", start(t).web+"users"); body != "respond with a resource" {
		t.Errorf("body %q", body)
	}
}

func TestPageLoadsNothingFromElsewhere(t *testing.T) {
	a := start(t)
	resp, body := request(t, "GET", a.web)
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
		"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	if got := resp.Header.Get("Content-Security-Policy"); got != policy {
		t.Errorf("Content-Security-Policy %q, want %q", got, policy)
	}
	for _, mark := range []string{"http://", "https://", "<style", "style=", "onclick="} {
		if strings.Contains(body, mark) {
			t.Errorf("the page contains %q", mark)
		}
	}
}

func TestPageKnowsThePath(t *testing.T) {
	_, body := request(t, "GET", start(t, "-path", `/a"b`).web)
	if want := `data-ws-path="/a&#34;b"`; !strings.Contains(body, want) {
		t.Errorf("page without %s", want)
	}
}

func TestUnchangedFileIsNotSentAgain(t *testing.T) {
	a := start(t)
	resp, _ := request(t, "GET", a.web+"javascripts/console.js")
	req, err := http.NewRequestWithContext(t.Context(), "GET", a.web+"javascripts/console.js", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("If-None-Match", resp.Header.Get("ETag"))
	again, err := client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	again.Body.Close()
	if again.StatusCode != 304 || again.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("status %d, Cache-Control %q", again.StatusCode, again.Header.Get("Cache-Control"))
	}
}
