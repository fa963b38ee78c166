package handshake

import (
	"runtime"
	"strings"
	"testing"
)

// A header as large as net/http lets through costs memory in proportion to its size, whatever it
// is made of.
func TestLargeHeaders(t *testing.T) {
	const size = 980_000
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	const extensions = "Sec-Websocket-Extensions"
	for _, test := range []struct {
		name, header, value string
		status              int // of the refusal, 0 for none
		limit               uint64
	}{
		{"parameters", extensions, "permessage-deflate" + fill(";a"), 0, size},
		{"parameters of another extension", extensions, "a" + fill(";a"), 0, size},
		{"known parameters", extensions, "permessage-deflate" + fill(";client_max_window_bits=9"), 0, size},
		{"values", extensions, "a" + fill(";a=b"), 0, size},
		{"quoted values", extensions, "a" + fill(`;a="b"`), 0, size},
		{"quoted pairs", extensions, "a" + fill(`;a="\b"`), 0, size},
		{"long quoted value", extensions, `permessage-deflate;server_max_window_bits="` + fill(`\1`) + `"`, 0, size},
		{"extensions", extensions, fill("a,"), 0, size},
		{"offers", extensions, fill("permessage-deflate,"), 0, size},
		{"declined offers", extensions, fill(`permessage-deflate;server_max_window_bits="\7",`), 0, size},
		{"malformed at the end", extensions, "permessage-deflate" + fill(";a") + ";", 400, size},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := handshakeRequest()
			r.Header[test.header] = []string{test.value}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, refused := Check(r, Terms{})
			runtime.ReadMemStats(&after)
			if refused == nil && test.status != 0 || refused != nil && refused.Status != test.status {
				t.Errorf("refused with %v, want %d", refused, test.status)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > test.limit {
				t.Errorf("%d bytes allocated, want at most %d", got, test.limit)
			}
		})
	}
}
