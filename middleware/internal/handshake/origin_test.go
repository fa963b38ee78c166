package handshake

import (
	"crypto/tls"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestOrigin(t *testing.T) {
	for _, test := range []struct {
		patterns, origin, host string
		tls, want              bool
	}{
		{"", "http://a.example", "a.example", false, true},
		{"", "https://a.example", "a.example", false, true}, // TLS may end at a proxy
		{"", "HTTP://A.Example", "a.example", false, true},
		{"", "http://a.example:80", "a.example", false, true},
		{"", "https://a.example", "a.example:443", true, true},
		{"", "http://a.example:3000", "a.example:3000", false, true},
		{"", "http://[::1]:3000", "[::1]:3000", false, true},
		{"", "http://[::1]", "[::1]", false, true},
		{"", "http://a.example", "a.example", true, false},
		{"", "http://a.example:3000", "a.example", false, false},
		{"", "http://a.example", "a.example:3000", false, false},
		{"", "http://b.example", "a.example", false, false},
		{"", "http://a.example.b.example", "a.example", false, false},
		{"", "ftp://a.example", "a.example", false, false},
		{"", "null", "a.example", false, false},
		{"", "", "a.example", false, false},
		{"", "a.example", "a.example", false, false},
		{"", "http://", "a.example", false, false},
		{"", "http://a.example/", "a.example", false, false},
		{"", "http://a.example http://a.example", "a.example", false, false},
		{"", "http://user@a.example", "a.example", false, false},
		{"", "http://::", "::", false, false}, // found by FuzzOrigin
		{"", "http://[::1", "[::1", false, false},
		{"", "http://a.example:http", "a.example:http", false, false},
		{"", "http://a.example:65536", "a.example:65536", false, false},
		{"", "http://a%2Eexample", "a%2Eexample", false, false},
		{"*", "https://b.example", "a.example", true, true},
		{"*", "null", "a.example", false, true},
		{"*", "nonsense", "a.example", false, true},
		{"*", "file://", "a.example", false, true},
		{"*", "", "a.example", false, true},
		{"*", "http://b.example http://c.example", "a.example", false, true},
		{"b.example *", "file:///a/b.html", "a.example", false, true},
		{"null", "null", "a.example", false, true},
		{"null", "file://", "a.example", false, true}, // as Chromium writes it
		{"null", "FILE://", "a.example", false, true},
		{"b.example null", "content://", "a.example", false, true},
		{"null", "file:", "a.example", false, false},
		{"null", "file:///", "a.example", false, false},
		{"null", "file://:80", "a.example", false, false},
		{"null", "://", "a.example", false, false},
		{"null", "nonsense", "a.example", false, false},
		{"null", "", "a.example", false, false},
		{"", "file://", "a.example", false, false},
		{"b.example file://b.example", "file://", "a.example", false, false},
		{"null", "http://b.example", "a.example", false, false},
		{"b.example", "http://b.example", "a.example", false, true},
		{"b.example", "https://b.example", "a.example", false, true},
		{"b.example", "https://b.example:8443", "a.example", false, false},
		{"b.example", "ftp://b.example", "a.example", false, false},
		{"b.example:*", "https://b.example:8443", "a.example", false, true},
		{"https://b.example", "https://b.example", "a.example", false, true},
		{"https://b.example", "https://b.example:443", "a.example", false, true},
		{"https://b.example:443", "https://b.example", "a.example", false, true},
		{"https://b.example", "http://b.example", "a.example", false, false},
		{"HTTPS://B.example", "https://b.EXAMPLE", "a.example", false, true},
		{"https://*.b.example", "https://x.y.b.example", "a.example", false, true},
		{"https://*.b.example", "https://b.example", "a.example", false, false},
		{"https://*.b.example", "https://xb.example", "a.example", false, false},
		{"http://localhost:*", "http://localhost:5173", "a.example", false, true},
		{"http://localhost:*", "http://localhost.b.example:5173", "a.example", false, false},
		{"chrome-extension://abc", "chrome-extension://abc", "a.example", false, true},
		{"c.example b.example", "http://b.example", "a.example", false, true},
		{"c.example b.example", "http://a.example", "a.example", false, true}, // same origin all the same
	} {
		terms, err := NewTerms(strings.Fields(test.patterns), nil, false)
		if err != nil {
			t.Errorf("%q: %v", test.patterns, err)
			continue
		}
		r := handshakeRequest()
		r.Host = test.host
		r.Header["Origin"] = []string{test.origin}
		if test.tls {
			r.TLS = &tls.ConnectionState{}
		}
		_, refused := Check(r, terms)
		if got := refused == nil; got != test.want || !got && refused.Status != 403 {
			t.Errorf("%q: origin %q at host %q: %v", test.patterns, test.origin, test.host, refused)
		}
	}
}

// A request from no browser has no Origin header and is accepted whatever origins are allowed.
func TestNoOrigin(t *testing.T) {
	for _, patterns := range []string{"", "*", "null", "b.example"} {
		terms, err := NewTerms(strings.Fields(patterns), nil, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, refused := Check(handshakeRequest(), terms); refused != nil {
			t.Errorf("%q: %v", patterns, refused)
		}
	}
}

// More than one Origin header comes from no browser, whatever origins are allowed.
func TestTwoOrigins(t *testing.T) {
	for _, patterns := range []string{"", "*", "null", "example.com"} {
		terms, err := NewTerms(strings.Fields(patterns), nil, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []string{"null", "file://", "http://example.com"} {
			r := handshakeRequest()
			r.Header["Origin"] = []string{o, o}
			if _, refused := Check(r, terms); refused == nil || refused.Status != 403 {
				t.Errorf("%q: two origins %q: %v", patterns, o, refused)
			}
		}
	}
}

// A proxy's X-Forwarded-Proto can only refuse more.
func TestOriginForwarded(t *testing.T) {
	for _, test := range []struct {
		proto, origin string
		want          bool
	}{
		{"https", "https://a.example", true},
		{"https", "http://a.example", false},
		{"wss", "http://a.example", false},
		{"HTTPS", "http://a.example", false},
		{"http", "http://a.example", true},
		{"http", "https://a.example", true},
		{"https", "https://b.example", false},
	} {
		r := handshakeRequest()
		r.Host = "a.example"
		r.Header.Set("Origin", test.origin)
		r.Header.Set("X-Forwarded-Proto", test.proto)
		_, refused := Check(r, Terms{})
		if got := refused == nil; got != test.want || !got && refused.Status != 403 {
			t.Errorf("%s: origin %q: %v", test.proto, test.origin, refused)
		}
	}
}

// FuzzOrigin looks for an origin that is let in although a URL parser sees another host in it.
func FuzzOrigin(f *testing.F) {
	for _, o := range []string{
		"http://a.example", "https://a.example:443", "http://A.EXAMPLE:80", "http://a.example@b.example",
		"http://a.example:80:80", "http://[::1]:80", "null", "http://a.example/", "http://a.example?", "http://a.example\\@b",
		"file://",
	} {
		f.Add(o, "a.example", "*.a.example")
	}
	f.Fuzz(func(t *testing.T, o, host, pattern string) {
		r := httptest.NewRequest("GET", "/ws", nil)
		r.Host = host
		r.Header.Set("Origin", o)
		u, urlErr := url.Parse(o)
		if checkOrigin(r, nil) == nil {
			if urlErr != nil || !sameHost(u, host) {
				t.Errorf("origin %q is let in at host %q; as a URL: %v, %v", o, host, u, urlErr)
			}
			return
		}
		p, err := parseOriginPattern(pattern)
		if err != nil || p.any || p.null || checkOrigin(r, []originPattern{p}) != nil {
			return
		}
		suffix := strings.ToLower(p.host)
		if urlErr == nil && !strings.HasSuffix(strings.ToLower(u.Host), suffix) &&
			!strings.HasSuffix(strings.ToLower("["+u.Hostname()+"]"), suffix) &&
			!strings.HasSuffix(strings.ToLower(u.Hostname()), suffix) {
			t.Errorf("origin %q is let in by %q; as a URL its host is %q", o, pattern, u.Host)
		}
	})
}

func sameHost(u *url.URL, host string) bool {
	port := map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	withPort := func(h string) string {
		v := &url.URL{Host: strings.ToLower(h)}
		if v.Port() == "" {
			return strings.TrimSuffix(v.Host, ":") + ":" + port
		}
		return v.Host
	}
	return port != "" && withPort(u.Host) == withPort(host)
}
