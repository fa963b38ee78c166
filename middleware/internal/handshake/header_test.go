package handshake

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The grammar of RFC 6455 §9.1, with the white space and the empty list elements of RFC 9110.
const (
	tokenRE  = "[-!#$%&'*+.^_`|~0-9A-Za-z]+"
	quotedRE = `"(?:[^"\\]|\\(?s:.))*"`
	paramRE  = `(` + tokenRE + `)(?:[ \t]*=[ \t]*(` + tokenRE + `|` + quotedRE + `))?`
	offerRE  = `(` + tokenRE + `)((?:[ \t]*;[ \t]*` + paramRE + `)*)`
)

// plainNegotiate reads the header with regular expressions.
func plainNegotiate(line string) (response string, ok bool) {
	list := regexp.MustCompile(`^(?:[ \t]*,)*[ \t]*(?:` + offerRE + `[ \t]*(?:,[ \t]*(?:` + offerRE + `[ \t]*)?)*)?$`)
	if !list.MatchString(line) {
		return "", false
	}
	for _, offer := range regexp.MustCompile(offerRE).FindAllStringSubmatch(line, -1) {
		answer, wellFormed := plainAnswer(offer[1], offer[2])
		if !wellFormed {
			return "", false
		}
		if response == "" {
			response = answer
		}
	}
	return response, true
}

func plainAnswer(name, params string) (answer string, wellFormed bool) {
	answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	declined := name != "permessage-deflate"
	seen := map[string]int{}
	for _, p := range regexp.MustCompile(`;[ \t]*`+paramRE).FindAllStringSubmatch(params, -1) {
		key, value := p[1], p[2]
		if strings.HasPrefix(value, `"`) {
			value = regexp.MustCompile(`\\((?s:.))`).ReplaceAllString(value[1:len(value)-1], "$1")
			if !regexp.MustCompile(`^` + tokenRE + `$`).MatchString(value) {
				return "", false
			}
		}
		seen[key]++
		bits, _ := strconv.Atoi(value)
		inRange := bits >= 8 && bits <= 15 && value == strconv.Itoa(bits)
		switch {
		case seen[key] > 1,
			!slices.Contains([]string{"server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits", "client_max_window_bits"}, key),
			strings.HasSuffix(key, "takeover") && value != "",
			key == "client_max_window_bits" && value != "" && !inRange,
			key == "server_max_window_bits" && !inRange:
			declined = true
		case key == "server_max_window_bits":
			answer += "; server_max_window_bits=" + value
		}
	}
	if declined {
		answer = ""
	}
	return answer, true
}

func FuzzExtensions(f *testing.F) {
	for _, line := range []string{
		"permessage-deflate", "permessage-deflate; client_max_window_bits", ",, a; b=c ,permessage-deflate",
		`permessage-deflate; server_max_window_bits="1\0", x`, "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
		"permessage-deflate;", `a; b="`, "permessage-deflate; client_no_context_takeover; server_no_context_takeover=1, permessage-deflate",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\r\n") {
			return // net/http lets no such header through.
		}
		want, wantOK := plainNegotiate(line)
		agreed, err := negotiateDeflate(http.Header{"Sec-Websocket-Extensions": {line}})
		got := ""
		if agreed != nil && err == nil {
			got = agreed.String()
		}
		if got != want || (err == nil) != wantOK {
			t.Errorf("%q: got %q, %v; want %q, %v", line, got, err, want, wantOK)
		}
	})
}

func FuzzSubprotocols(f *testing.F) {
	for _, lines := range []string{"a", "a, b", ",,a\t,", "a\nb", "a, a", "a b", "ä", `"a"`} {
		f.Add(lines, "b")
	}
	f.Fuzz(func(t *testing.T, lines, spoken string) {
		var want []string
		malformed := false
		for _, element := range strings.FieldsFunc(lines, func(r rune) bool { return r == ',' || r == '\n' }) {
			if element = strings.Trim(element, " \t"); element == "" {
				continue
			}
			malformed = malformed || slices.Contains(want, element) ||
				!regexp.MustCompile(`^`+tokenRE+`$`).MatchString(element)
			want = append(want, element)
		}
		h := http.Header{"Sec-Websocket-Protocol": strings.Split(lines, "\n")}
		offers, err := subprotocolOffers(h)
		if (err != nil) != malformed || !malformed && !slices.Equal(offers, want) {
			t.Fatalf("%q: got %q, %v; want %q", lines, offers, err, want)
		}
		got := selectSubprotocol([]string{spoken}, offers)
		if wanted := slices.Contains(offers, spoken); wanted != (got == spoken && got != "") && spoken != "" {
			t.Errorf("%q spoken, %q offered: got %q", spoken, offers, got)
		}
	})
}

// FuzzOrigin looks for an origin that is let in although a URL parser sees another host in it.
func FuzzOrigin(f *testing.F) {
	for _, o := range []string{
		"http://a.example", "https://a.example:443", "http://A.EXAMPLE:80", "http://a.example@b.example",
		"http://a.example:80:80", "http://[::1]:80", "null", "http://a.example/", "http://a.example?", "http://a.example\\@b",
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
