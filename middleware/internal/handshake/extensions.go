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
			agreed, ok, err := p.offer()
			if err != nil {
				return nil, err
			}
			if ok && accepted == nil {
				accepted = &deflateParams{agreed.windowBits}
			}
		}
	}
	return accepted, nil
}

// deflateOffer is what is known of an offer of permessage-deflate while its parameters are read. It
// has room for the known parameters only, because a client may send any number of others.
type deflateOffer struct {
	serverNoContextTakeover bool
	clientNoContextTakeover bool
	clientMaxWindowBits     bool
	serverMaxWindowBits     bool

	agreed deflateParams
}

// add adds a parameter (RFC 7692 §7.1) and reports whether it is acceptable.
func (o *deflateOffer) add(param extensionParam) bool {
	switch param.name {
	case "server_no_context_takeover":
		return first(&o.serverNoContextTakeover) && !param.hasValue
	case "client_no_context_takeover":
		return first(&o.clientNoContextTakeover) && !param.hasValue
	case "client_max_window_bits":
		// The client allows us to limit its window. We need not: we decompress with any window.
		return first(&o.clientMaxWindowBits) &&
			(!param.hasValue || windowBits(param.value) != 0)
	case "server_max_window_bits":
		o.agreed.windowBits = windowBits(param.value)
		return first(&o.serverMaxWindowBits) && o.agreed.windowBits != 0
	}
	return false
}

// first sets seen and reports whether it was not set before.
func first(seen *bool) bool {
	was := *seen
	*seen = true
	return !was
}

// windowBits parses a window size, "8" to "15" without leading zeros (RFC 7692 §7.1.2). It returns
// 0 for anything else.
func windowBits(value string) int {
	value = strings.ReplaceAll(value, `\`, "") // only in quoted-pairs: value is a token
	for bits := 8; bits <= 15; bits++ {
		if value == strconv.Itoa(bits) {
			return bits
		}
	}
	return 0
}

// extensionParam is a parameter of an offer in a Sec-WebSocket-Extensions header. The value of a
// quoted-string is what is between the quotes, as it was sent.
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

// offer parses an offer to its end (RFC 6455 §9.1). It returns the parameters to agree on, and
// whether it is an acceptable offer of permessage-deflate.
func (p *extensionParser) offer() (agreed deflateParams, ok bool, err error) {
	name := p.token()
	if name == "" {
		return agreed, false, errExtensions
	}
	var offer deflateOffer
	ok = name == deflateName
	for p.skip(';') {
		param, wellFormed := p.param()
		if !wellFormed {
			return agreed, false, errExtensions
		}
		ok = ok && offer.add(param)
	}
	if p.s != "" && !p.skip(',') {
		return agreed, false, errExtensions
	}
	return offer.agreed, ok, nil
}

func (p *extensionParser) param() (param extensionParam, ok bool) {
	param.name = p.token()
	if param.name == "" || !p.skip('=') {
		return param, param.name != ""
	}
	param.hasValue = true
	if p.s != "" && p.s[0] == '"' {
		param.value, ok = p.quoted()
		return param, ok
	}
	param.value = p.token()
	return param, param.value != ""
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

// quoted parses a quoted-string (RFC 9110 §5.6.4), whose value must be a token too (RFC 6455 §9.1).
// It returns what is between the quotes.
func (p *extensionParser) quoted() (value string, ok bool) {
	for i := 1; i < len(p.s); i++ {
		if p.s[i] == '"' {
			value, p.s = p.s[1:i], p.s[i+1:]
			return value, value != ""
		}
		if p.s[i] == '\\' {
			i++
		}
		if i == len(p.s) || !isTokenByte(p.s[i]) {
			return "", false
		}
	}
	return "", false
}
