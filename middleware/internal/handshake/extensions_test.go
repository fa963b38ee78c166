package handshake

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestExtensions(t *testing.T) {
	const plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	for _, test := range []struct {
		offer, want string
	}{
		{"permessage-deflate", plain},
		{"permessage-deflate; client_max_window_bits", plain},
		{"permessage-deflate; client_max_window_bits=10", plain},
		{`permessage-deflate; client_max_window_bits="8"`, plain},
		{"permessage-deflate; server_no_context_takeover; client_no_context_takeover", plain},
		{"permessage-deflate ;server_max_window_bits = 9", plain + "; server_max_window_bits=9"},
		{`permessage-deflate; server_max_window_bits="15"`, plain + "; server_max_window_bits=15"},
		{`permessage-deflate; server_max_window_bits="1\0"`, plain + "; server_max_window_bits=10"},
		{",, x-unknown; a=b; c , permessage-deflate,", plain},
		{"permessage-deflate; unknown, permessage-deflate; server_max_window_bits=8", plain + "; server_max_window_bits=8"},
		{"permessage-deflate; server_max_window_bits=10, permessage-deflate", plain + "; server_max_window_bits=10"},
		{"x-unknown\r\nSec-WebSocket-Extensions: permessage-deflate", plain},
		{"x-webkit-deflate-frame", ""},
		{"permessage-deflate; unknown", ""},
		{"permessage-deflate; server_max_window_bits", ""},
		{"permessage-deflate; server_max_window_bits=7", ""},
		{"permessage-deflate; server_max_window_bits=16", ""},
		{"permessage-deflate; server_max_window_bits=08", ""},
		{"permessage-deflate; server_max_window_bits=+9", ""},
		{"permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", ""},
		{"permessage-deflate; client_max_window_bits=16", ""},
		{"permessage-deflate; client_max_window_bits; client_max_window_bits=9", ""},
		{"permessage-deflate; server_no_context_takeover=1", ""},
		{"permessage-deflate; client_no_context_takeover; client_no_context_takeover", ""},
		{"permessage-deflate permessage-deflate", "400"},
		{"permessage-deflate; ; server_max_window_bits=9", "400"},
		{"permessage-deflate;", "400"},
		{"; permessage-deflate", "400"},
		{"permessage-deflate; server_max_window_bits=", "400"},
		{`permessage-deflate; server_max_window_bits="9`, "400"},
		{`permessage-deflate; server_max_window_bits="9\`, "400"},
		{`permessage-deflate; server_max_window_bits=""`, "400"},
		{`permessage-deflate; a="b c"`, "400"},
		{`permessage-deflate; server_max_window_bits="9\\"`, "400"},
		{`permessage-deflate; server_max_window_bits="\"9"`, "400"},
		{"permessage-deflate; server_max_window_bits=1\\0", "400"}, // a quoted-pair without quotes
		{"permessage-deflate; unknown; server_max_window_bits=", "400"},
		{"permessage-deflate, permessage-deflate; unknown;", "400"},
		{"permessage-deflate, =", "400"},
	} {
		r := readRequest(t, handshakeLines+"Sec-WebSocket-Extensions: "+test.offer+"\r\n")
		got := ""
		if agreed, refused := Check(r, Terms{compression: true}); refused != nil {
			got = strconv.Itoa(refused.Status)
		} else {
			h := http.Header{}
			agreed.SetHeader(h)
			got = h.Get("Sec-WebSocket-Extensions")
		}
		if got != test.want {
			t.Errorf("%q: got %q, want %q", test.offer, got, test.want)
		}
	}
}

func TestExtensionsWithoutCompression(t *testing.T) {
	const line = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n"
	agreed, refused := Check(readRequest(t, handshakeLines+line), Terms{})
	if refused != nil || agreed.Deflate || agreed.WindowBits != 0 {
		t.Errorf("agreed on %+v, %v", agreed, refused)
	}
	h := http.Header{}
	agreed.SetHeader(h)
	if got, ok := h["Sec-Websocket-Extensions"]; ok {
		t.Errorf("got %q", got)
	}
	_, refused = Check(readRequest(t, handshakeLines+"Sec-WebSocket-Extensions: a b\r\n"), Terms{})
	if refused == nil || refused.Status != 400 {
		t.Errorf("malformed header: %v", refused)
	}
}

// What the server is told of its own compressor.
func TestWindowBits(t *testing.T) {
	for _, test := range []struct {
		offer   string
		deflate bool
		bits    int
	}{
		{"x-unknown", false, 0},
		{"permessage-deflate; server_max_window_bits=7", false, 0},
		{"permessage-deflate", true, 0},
		{"permessage-deflate; client_max_window_bits=9", true, 0},
		{"permessage-deflate; server_max_window_bits=8", true, 8},
		{"permessage-deflate; client_max_window_bits=9; server_max_window_bits=15", true, 15},
		{"permessage-deflate; server_max_window_bits=10; unknown, permessage-deflate", true, 0},
	} {
		r := handshakeRequest()
		r.Header.Set("Sec-WebSocket-Extensions", test.offer)
		agreed, refused := Check(r, Terms{compression: true})
		if refused != nil || agreed.Deflate != test.deflate || agreed.WindowBits != test.bits {
			t.Errorf("%q: agreed on %+v, %v", test.offer, agreed, refused)
		}
	}
}

// The grammar of RFC 6455 §9.1, with the white space and the empty list elements of RFC 9110.
const (
	tokenRE  = "[-!#$%&'*+.^_`|~0-9A-Za-z]+"
	quotedRE = `"(?:[^"\\]|\\(?s:.))*"`
	paramRE  = `(` + tokenRE + `)(?:[ \t]*=[ \t]*(` + tokenRE + `|` + quotedRE + `))?`
	offerRE  = `(` + tokenRE + `)((?:[ \t]*;[ \t]*` + paramRE + `)*)`
	listRE   = `^(?:[ \t]*,)*[ \t]*(?:` + offerRE +
		`[ \t]*(?:,[ \t]*(?:` + offerRE + `[ \t]*)?)*)?$`
)

var (
	list       = regexp.MustCompile(listRE)
	offer      = regexp.MustCompile(offerRE)
	param      = regexp.MustCompile(`;[ \t]*` + paramRE)
	quotedPair = regexp.MustCompile(`\\((?s:.))`)
	tokenOnly  = regexp.MustCompile(`^` + tokenRE + `$`)
)

var deflateParamNames = []string{
	"server_no_context_takeover", "client_no_context_takeover",
	"server_max_window_bits", "client_max_window_bits",
}

// plainNegotiate reads the header with regular expressions.
func plainNegotiate(line string) (response string, ok bool) {
	if !list.MatchString(line) {
		return "", false
	}
	for _, o := range offer.FindAllStringSubmatch(line, -1) {
		answer, wellFormed := plainAnswer(o[1], o[2])
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
	for _, p := range param.FindAllStringSubmatch(params, -1) {
		key, value := p[1], p[2]
		if strings.HasPrefix(value, `"`) {
			value = quotedPair.ReplaceAllString(value[1:len(value)-1], "$1")
			if !tokenOnly.MatchString(value) {
				return "", false
			}
		}
		seen[key]++
		bits, _ := strconv.Atoi(value)
		inRange := bits >= 8 && bits <= 15 && value == strconv.Itoa(bits)
		switch {
		case seen[key] > 1,
			!slices.Contains(deflateParamNames, key),
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
		`permessage-deflate; server_max_window_bits="\1\5"`, `permessage-deflate; client_max_window_bits="8\\"`, `a; b="c d"`,
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
