package handshake

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Elements of a comma-separated list. ASCII is spelled out, because (?i) folds Unicode too.
var (
	websocketElement = regexp.MustCompile(
		`(?:^|,)[ \t]*[Ww][Ee][Bb][Ss][Oo][Cc][Kk][Ee][Tt][ \t]*(?:,|$)`)
	upgradeElement = regexp.MustCompile(
		`(?:^|,)[ \t]*[Uu][Pp][Gg][Rr][Aa][Dd][Ee][ \t]*(?:,|$)`)
	sixteenBytes = regexp.MustCompile(`^[A-Za-z0-9+/]{22}==$`)
)

// violation returns what a GET request over HTTP/1.1 with these headers lacks to be a handshake
// (RFC 6455 §4.2.1), or "". It leaves the origin out.
func violation(h http.Header) string {
	versions, keys := h["Sec-Websocket-Version"], h["Sec-Websocket-Key"]
	_, protocolsOK := plainOffers(h["Sec-Websocket-Protocol"])
	_, extensionsOK := plainExtensions(h["Sec-Websocket-Extensions"])
	switch {
	case !websocketElement.MatchString(strings.Join(h["Upgrade"], ",")):
		return "item 3, Upgrade"
	case !upgradeElement.MatchString(strings.Join(h["Connection"], ",")):
		return "item 4, Connection"
	case len(keys) != 1 || !sixteenBytes.MatchString(keys[0]):
		return "item 5, Sec-WebSocket-Key"
	case len(versions) != 1 || versions[0] != "13":
		return "item 6, Sec-WebSocket-Version"
	case !protocolsOK:
		return "item 8, Sec-WebSocket-Protocol"
	case !extensionsOK:
		return "item 9, Sec-WebSocket-Extensions"
	}
	return ""
}

// plainExtensions reads all lines of a Sec-WebSocket-Extensions header.
func plainExtensions(lines []string) (response string, ok bool) {
	for _, line := range lines {
		answer, wellFormed := plainNegotiate(line)
		if !wellFormed {
			return "", false
		}
		if response == "" {
			response = answer
		}
	}
	return response, true
}

// plainOrigin reports whether pages of these origins may connect to example.com, which allows
// https://b.example beside its own.
func plainOrigin(origins []string) bool {
	if len(origins) == 0 {
		return true
	}
	u, err := url.Parse(origins[0])
	return len(origins) == 1 && err == nil &&
		(sameHost(u, "example.com") || u.Scheme == "https" && sameHost(u, "b.example"))
}

// plainSubprotocol returns what is to be chosen where b is preferred to a.
func plainSubprotocol(offers []string) string {
	for _, p := range []string{"b", "a"} {
		if slices.Contains(offers, p) {
			return p
		}
	}
	return ""
}

// FuzzCheck compares Check with a plain reading of RFC 6455 §4.2.1. Each argument is the lines of
// one header; an empty one is no line.
func FuzzCheck(f *testing.F) {
	const key = "dGhlIHNhbXBsZSBub25jZQ=="
	f.Add("Upgrade", "websocket", "13", key, "", "", "")
	f.Add("Upgrade", "web\u017focket", "13", key, "", "", "")
	f.Add("Upgrade", "websoc\u212aet", "13", key, "", "", "")
	f.Add("keep-alive\n,UPGRADE,", "h2c,\tWebSocket ", "13", key, "http://example.com", "a, b", "permessage-deflate")
	f.Add("Upgrade", "websocket", "13", key, "https://b.example:443", "c\na", `a; b="\c", permessage-deflate; server_max_window_bits=9`)
	f.Add("Upgrade", "websocket", "13", key, "http://b.example", "", "")
	f.Add("Upgrade", "websocket", "13\n13", key, "null", "a, a", "permessage-deflate;")
	f.Add("Upgrade", "websocket", "8", key+"\n"+key, "http://example.com\nhttp://example.com", "a b", "a\nb c")
	f.Add("close", "websocket", "", "", "", "", "")
	f.Add("Upgrade", "web socket, websocket/13", "13", "________________________", "", "ä", "\"")
	terms, err := NewTerms([]string{"https://b.example"}, []string{"b", "a"}, true)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, connection, upgrade, version, key, origin, protocols, extensions string) {
		r := httptest.NewRequest("GET", "/ws", nil)
		for name, lines := range map[string]string{
			"Connection": connection, "Upgrade": upgrade, "Origin": origin,
			"Sec-Websocket-Version": version, "Sec-Websocket-Key": key,
			"Sec-Websocket-Protocol": protocols, "Sec-Websocket-Extensions": extensions,
		} {
			if lines != "" {
				r.Header[name] = strings.Split(lines, "\n")
			}
		}
		agreed, refused := Check(r, terms)
		if refused != nil {
			wantRefusal(t, r, refused)
			return
		}
		if lacks := violation(r.Header); lacks != "" {
			t.Errorf("accepted against %s: %q", lacks, r.Header)
		}
		if !plainOrigin(r.Header["Origin"]) {
			t.Errorf("accepted from origin %q", r.Header["Origin"])
		}
		wantAgreement(t, r, agreed)
	})
}

// wantRefusal checks that there is a reason for a refusal, and that it fits into a log line.
func wantRefusal(t *testing.T, r *http.Request, refused *Refusal) {
	if violation(r.Header) == "" && (refused.Status != 403 || len(r.Header["Origin"]) == 0) {
		t.Errorf("refused with %d %q: %q", refused.Status, refused.Reason, r.Header)
	}
	if len(refused.Reason) > 2000 || strings.ContainsAny(refused.Reason, "\r\n\x00") {
		t.Errorf("a reason of %d bytes: %.200q", len(refused.Reason), refused.Reason)
	}
	w := httptest.NewRecorder()
	refused.Write(w, r)
	if !slices.Contains([]int{400, 403, 426}, w.Code) || w.Body.String() != refused.Reason+"\n" {
		t.Errorf("written as %d %q", w.Code, w.Body)
	}
}

// wantAgreement checks that an agreement answers what the request offers.
func wantAgreement(t *testing.T, r *http.Request, agreed Agreement) {
	offers, _ := plainOffers(r.Header["Sec-Websocket-Protocol"])
	extensions, _ := plainExtensions(r.Header["Sec-Websocket-Extensions"])
	h := http.Header{}
	agreed.SetHeader(h)
	for name, want := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket",
		"Sec-Websocket-Protocol":   plainSubprotocol(offers),
		"Sec-Websocket-Extensions": extensions,
	} {
		if got := strings.Join(h[name], "\n"); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	accept := h.Get("Sec-WebSocket-Accept")
	if r.Header.Get("Sec-WebSocket-Key") == "dGhlIHNhbXBsZSBub25jZQ==" &&
		accept != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("Sec-WebSocket-Accept: %q", accept)
	}
	if got := agreed.Subprotocol; got != plainSubprotocol(offers) {
		t.Errorf("subprotocol %q of %q", got, offers)
	}
	if agreed.Deflate != (extensions != "") {
		t.Errorf("Deflate %v for %q", agreed.Deflate, extensions)
	}
}
