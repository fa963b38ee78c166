package handshake

import (
	"fmt"
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

// Duplicates are found among few offers and among many, wherever they are.
func TestSubprotocolTwice(t *testing.T) {
	for _, n := range []int{1, 2, fewOffers - 1, fewOffers, fewOffers + 1, 1000} {
		offers := distinctTokens(n)
		r := handshakeRequest()
		r.Header.Set("Sec-WebSocket-Protocol", strings.Join(offers, ","))
		if agreed, refused := Check(r, Terms{}); refused != nil || agreed.Subprotocol != offers[0] {
			t.Errorf("%d offers: agreed on %q, %v", n, agreed.Subprotocol, refused)
		}
		for _, again := range []string{offers[0], offers[n/2], offers[n-1]} {
			r.Header["Sec-Websocket-Protocol"] = []string{strings.Join(offers, ","), again}
			want := fmt.Sprintf("Sec-WebSocket-Protocol %q: must not be offered twice", again)
			if _, refused := Check(r, Terms{}); refused == nil || refused.Reason != want {
				t.Errorf("%d offers and %q: %v", n, again, refused)
			}
		}
	}
}

func FuzzSubprotocols(f *testing.F) {
	for _, lines := range []string{"a", "a, b", ",,a\t,", "a\nb", "a, a", "a b", "ä", `"a"`} {
		f.Add(lines, "b")
	}
	many := strings.Join(distinctTokens(fewOffers+1), ",")
	f.Add(many, "b")
	f.Add(many+"\nb,b", "b")
	f.Fuzz(func(t *testing.T, lines, spoken string) {
		h := http.Header{"Sec-Websocket-Protocol": strings.Split(lines, "\n")}
		want, wellFormed := plainOffers(h["Sec-Websocket-Protocol"])
		first, err := negotiateSubprotocol(h, nil)
		if (err == nil) != wellFormed || wellFormed && len(want) > 0 && first != want[0] {
			t.Fatalf("%q: got %q, %v; offered are %q", lines, first, err, want)
		}
		if wellFormed {
			if offers, err := subprotocolOffers(h); err != nil || !slices.Equal(offers, want) {
				t.Fatalf("%q: got %q, %v; want %q", lines, offers, err, want)
			}
		}
		got, err := negotiateSubprotocol(h, []string{spoken})
		if (err == nil) != wellFormed {
			t.Fatalf("%q spoken, %q offered: %v", spoken, want, err)
		}
		wanted := wellFormed && slices.Contains(want, spoken)
		if wanted != (got == spoken && got != "") && spoken != "" {
			t.Errorf("%q spoken, %q offered: got %q", spoken, want, got)
		}
	})
}
