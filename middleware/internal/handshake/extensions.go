package handshake

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
)

const deflateName = "permessage-deflate"

// deflateParams is what was agreed on for permessage-deflate (RFC 7692 §7). Neither side keeps
// its context from one message to the next.
type deflateParams struct {
	// windowBits is the log2 of the largest distance a match in our messages may reach back; 0
	// if the client set no limit.
	windowBits int
}

// String returns the value of the Sec-WebSocket-Extensions header that states the agreement.
func (p deflateParams) String() string {
	s := deflateName + "; server_no_context_takeover; client_no_context_takeover"
	if p.windowBits != 0 {
		s += "; server_max_window_bits=" + strconv.Itoa(p.windowBits)
	}
	return s
}

// negotiateDeflate takes the first offer of permessage-deflate that can be met (RFC 7692 §5.1,
// §7.1), and returns nil if there is none. Offers of other extensions, and those with parameters
// that are unknown, repeated or out of range, are declined. A header that breaks the grammar of
// RFC 6455 §9.1 is an error.
func negotiateDeflate(h http.Header) (*deflateParams, error) {
	var accepted *deflateParams
	for _, line := range h["Sec-Websocket-Extensions"] {
		p := extensionParser{s: line}
		for p.more() {
			offer, err := p.offer()
			if err != nil {
				return nil, err
			}
			if accepted == nil {
				accepted = acceptDeflate(offer)
			}
		}
	}
	return accepted, nil
}

// acceptDeflate returns the agreement that answers the offer, or nil to decline it.
func acceptDeflate(offer extension) *deflateParams {
	if offer.name != deflateName {
		return nil
	}
	agreed := &deflateParams{}
	seen := make(map[string]bool, len(offer.params))
	for _, p := range offer.params {
		if seen[p.name] || !agreed.add(p) {
			return nil
		}
		seen[p.name] = true
	}
	return agreed
}

// add takes one parameter of an offer (RFC 7692 §7.1) and reports whether it can be met.
func (p *deflateParams) add(param extensionParam) bool {
	switch param.name {
	case "server_no_context_takeover", "client_no_context_takeover":
		return !param.hasValue
	case "client_max_window_bits":
		// A hint that the client can be told to use less; our inflater copes with any window.
		return !param.hasValue || windowBits(param.value) != 0
	case "server_max_window_bits":
		p.windowBits = windowBits(param.value)
		return p.windowBits != 0
	}
	return false
}

// windowBits reads a window size, "8" to "15" without leading zeros (RFC 7692 §7.1.2); 0 stands
// for anything else.
func windowBits(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 8 || n > 15 || strconv.Itoa(n) != s {
		return 0
	}
	return n
}

// extension is one offer in a Sec-WebSocket-Extensions header (RFC 6455 §9.1).
type extension struct {
	name   string
	params []extensionParam
}

type extensionParam struct {
	name, value string
	hasValue    bool
}

// errExtensions does not quote the header: it is the client's, and of any length.
var errExtensions = errors.New(
	"malformed Sec-WebSocket-Extensions header: must be as in RFC 6455 §9.1")

// extensionParser reads one line of extension-list, what is left of it in s.
type extensionParser struct{ s string }

// more skips white space and empty list elements, and reports whether an offer follows.
func (p *extensionParser) more() bool {
	p.s = strings.TrimLeft(p.s, " \t,")
	return p.s != ""
}

func (p *extensionParser) offer() (extension, error) {
	e := extension{name: p.token()}
	if e.name == "" {
		return e, errExtensions
	}
	for p.skip(';') {
		param, ok := p.param()
		if !ok {
			return e, errExtensions
		}
		e.params = append(e.params, param)
	}
	if p.s != "" && !p.skip(',') {
		return e, errExtensions
	}
	return e, nil
}

func (p *extensionParser) param() (param extensionParam, ok bool) {
	param.name = p.token()
	if param.name == "" || !p.skip('=') {
		return param, param.name != ""
	}
	param.hasValue = true
	if p.s != "" && p.s[0] == '"' {
		param.value = p.quoted()
	} else {
		param.value = p.token()
	}
	// A quoted value must be a token once the quotes are taken off (RFC 6455 §9.1).
	return param, isToken(param.value)
}

// skip passes over c and the white space around it, and reports whether it was there.
func (p *extensionParser) skip(c byte) bool {
	p.s = strings.TrimLeft(p.s, " \t")
	if p.s == "" || p.s[0] != c {
		return false
	}
	p.s = strings.TrimLeft(p.s[1:], " \t")
	return true
}

func (p *extensionParser) token() string {
	n := 0
	for n < len(p.s) && isTokenByte(p.s[n]) {
		n++
	}
	token := p.s[:n]
	p.s = p.s[n:]
	return token
}

// quoted reads a quoted-string (RFC 9110 §5.6.4); one that does not end is taken for empty.
func (p *extensionParser) quoted() string {
	var b strings.Builder
	for i := 1; i < len(p.s); i++ {
		switch p.s[i] {
		case '"':
			p.s = p.s[i+1:]
			return b.String()
		case '\\':
			if i++; i == len(p.s) {
				return ""
			}
		}
		b.WriteByte(p.s[i])
	}
	return ""
}
