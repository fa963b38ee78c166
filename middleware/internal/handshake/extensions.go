package handshake

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
)

const deflateName = "permessage-deflate"

// deflateParams are the parameters of permessage-deflate (RFC 7692 §7), always without context
// takeover in both directions.
type deflateParams struct {
	// windowBits is the base-2 logarithm of the client's window for our messages; 0 if the client
	// sets no limit.
	windowBits int
}

// String returns the value of the Sec-WebSocket-Extensions header of the response.
func (p deflateParams) String() string {
	s := deflateName + "; server_no_context_takeover; client_no_context_takeover"
	if p.windowBits != 0 {
		s += "; server_max_window_bits=" + strconv.Itoa(p.windowBits)
	}
	return s
}

// negotiateDeflate accepts the first acceptable offer of permessage-deflate (RFC 7692 §5.1, §7.1).
// It returns nil if there is none. It declines other extensions, and offers with parameters that
// are unknown, repeated or out of range. A header that breaks the grammar of RFC 6455 §9.1 is an
// error.
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

// acceptDeflate returns the parameters for the offer, or nil to decline it.
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

// add adds a parameter of an offer (RFC 7692 §7.1) and reports whether it is acceptable.
func (p *deflateParams) add(param extensionParam) bool {
	switch param.name {
	case "server_no_context_takeover", "client_no_context_takeover":
		return !param.hasValue
	case "client_max_window_bits":
		// The client allows us to limit its window. We need not: we decompress with any window.
		return !param.hasValue || windowBits(param.value) != 0
	case "server_max_window_bits":
		p.windowBits = windowBits(param.value)
		return p.windowBits != 0
	}
	return false
}

// windowBits parses a window size, "8" to "15" without leading zeros (RFC 7692 §7.1.2). It returns
// 0 for anything else.
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

// errExtensions does not quote the header, which may be long.
var errExtensions = errors.New(
	"malformed Sec-WebSocket-Extensions header: must be as in RFC 6455 §9.1")

// extensionParser parses one line of an extension-list.
type extensionParser struct{ s string } // what is left of the line

// more skips white space and empty elements, and reports whether an offer follows.
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
	// The value of a quoted-string must be a token too (RFC 6455 §9.1).
	return param, isToken(param.value)
}

// skip skips c and the white space around it, and reports whether it was there.
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

// quoted parses a quoted-string (RFC 9110 §5.6.4). It returns "" if the closing quote is missing.
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
