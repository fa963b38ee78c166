package handshake

import (
	"runtime"
	"strings"
	"testing"
)

// distinctTokens returns tokens of three bytes, in no order.
func distinctTokens(n int) []string {
	const bytes = "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~"
	tokens := make([]string, n)
	for i := range tokens {
		// The factor has no divisor in common with the number of tokens.
		k := i * 7919 % (len(bytes) * len(bytes) * len(bytes))
		tokens[i] = string([]byte{
			bytes[k%len(bytes)], bytes[k/len(bytes)%len(bytes)], bytes[k/len(bytes)/len(bytes)],
		})
	}
	return tokens
}

// A header as large as net/http lets through costs memory in proportion to its size, whatever it
// is made of.
func TestLargeHeaders(t *testing.T) {
	const size = 980_000
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	many := strings.Join(distinctTokens(size/4), ",") // as many as fit
	const extensions, subprotocols = "Sec-Websocket-Extensions", "Sec-Websocket-Protocol"
	for _, test := range []struct {
		name, header, value string
		status              int // of the refusal, 0 for none
		limit               uint64
	}{
		{"parameters", extensions, "permessage-deflate" + fill(";a"), 0, size},
		{"parameters of another extension", extensions, "a" + fill(";a"), 0, size},
		{"known parameters", extensions, "permessage-deflate" + fill(";client_max_window_bits=9"), 0, size},
		{"quoted values", extensions, "a" + fill(`;a="b"`), 0, size},
		{"quoted pairs", extensions, "a" + fill(`;a="\b"`), 0, size},
		{"long quoted value", extensions, `permessage-deflate;server_max_window_bits="` + fill(`\1`) + `"`, 0, size},
		{"extensions", extensions, fill("a,"), 0, size},
		{"offers", extensions, fill("permessage-deflate,"), 0, size},
		{"declined offers", extensions, fill(`permessage-deflate;server_max_window_bits="\7",`), 0, size},
		{"malformed at the end", extensions, "permessage-deflate" + fill(";a") + ";", 400, size},
		{"subprotocols", subprotocols, many, 0, 5 * size},
		{"subprotocol twice", subprotocols, many + ",!!!", 400, 5 * size},
		{"long subprotocols", subprotocols, strings.ReplaceAll(many[:size/25], ",", strings.Repeat("x", 96)+","), 0, size},
		{"one subprotocol", subprotocols, fill("x"), 0, size},
		{"the same subprotocol", subprotocols, fill("x,"), 400, 9 * size},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := handshakeRequest()
			r.Header[test.header] = []string{test.value}
			var refused *Refusal
			got := allocated(func() { _, refused = Check(r, Terms{}) })
			if refused == nil && test.status != 0 || refused != nil && refused.Status != test.status {
				t.Errorf("refused with %v, want %d", refused, test.status)
			}
			if got > test.limit {
				t.Errorf("%d bytes allocated, want at most %d", got, test.limit)
			}
		})
	}
}

// allocated returns how many bytes f allocates in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
