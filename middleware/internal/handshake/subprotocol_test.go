package handshake

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestSubprotocol(t *testing.T) {
	for _, test := range []struct {
		spoken, lines, want string
	}{
		{"", "", ""},
		{"", "Sec-WebSocket-Protocol: a, b\r\n", "a"},
		{"", "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n", "a"},
		{"", "Sec-WebSocket-Protocol: ,, a\t,\r\n", "a"},
		{"", "Sec-WebSocket-Protocol:\r\n", ""},
		{"b a", "Sec-WebSocket-Protocol: a, b\r\n", "b"},
		{"b", "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n", "b"},
		{"c", "Sec-WebSocket-Protocol: a, b\r\n", ""},
		{"A", "Sec-WebSocket-Protocol: a\r\n", ""},
	} {
		terms, err := NewTerms(nil, strings.Fields(test.spoken), false)
		if err != nil {
			t.Errorf("%q: %v", test.spoken, err)
			continue
		}
		h := answer(t, readRequest(t, handshakeLines+test.lines), terms)
		_, set := h["Sec-Websocket-Protocol"]
		if got := h.Get("Sec-WebSocket-Protocol"); got != test.want || set != (test.want != "") {
			t.Errorf("%q offered %q: got %q", test.spoken, test.lines, got)
		}
	}
}

// plainOffers reads the lines of a Sec-WebSocket-Protocol header.
func plainOffers(lines []string) (offers []string, ok bool) {
	ok = true
	for element := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		if element = strings.Trim(element, " \t"); element == "" {
			continue
		}
		ok = ok && !slices.Contains(offers, element) && tokenOnly.MatchString(element)
		offers = append(offers, element)
	}
	return offers, ok
}

func FuzzSubprotocols(f *testing.F) {
	for _, lines := range []string{"a", "a, b", ",,a\t,", "a\nb", "a, a", "a b", "ä", `"a"`} {
		f.Add(lines, "b")
	}
	f.Fuzz(func(t *testing.T, lines, spoken string) {
		h := http.Header{"Sec-Websocket-Protocol": strings.Split(lines, "\n")}
		want, wellFormed := plainOffers(h["Sec-Websocket-Protocol"])
		offers, err := subprotocolOffers(h)
		if (err == nil) != wellFormed || wellFormed && !slices.Equal(offers, want) {
			t.Fatalf("%q: got %q, %v; want %q", lines, offers, err, want)
		}
		got := selectSubprotocol([]string{spoken}, offers)
		if wanted := slices.Contains(offers, spoken); wanted != (got == spoken && got != "") && spoken != "" {
			t.Errorf("%q spoken, %q offered: got %q", spoken, offers, got)
		}
	})
}
