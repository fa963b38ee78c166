// Package handshake checks the opening handshake of a client and negotiates subprotocol and
// extension (RFC 6455 §4.2), or refuses it with a reason.
//
// It works on requests and headers. It must not know how the connection is hijacked, or what is
// sent on it.
package handshake

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Terms are what the server accepts. Create them with [NewTerms].
type Terms struct {
	origins      []originPattern
	subprotocols []string
	compression  bool
}

// NewTerms returns terms with patterns of allowed origins, the supported subprotocols, most
// preferred first, and whether compression is accepted. The error names the value and the rule.
func NewTerms(origins, subprotocols []string, compression bool) (Terms, error) {
	terms := Terms{subprotocols: slices.Clone(subprotocols), compression: compression}
	for _, s := range origins {
		p, err := parseOriginPattern(s)
		if err != nil {
			return Terms{}, err
		}
		terms.origins = append(terms.origins, p)
	}
	for i, p := range subprotocols {
		switch {
		case !isToken(p):
			return Terms{}, fmt.Errorf("subprotocol %q: must be a token (RFC 9110 §5.6.2)", p)
		case slices.Contains(subprotocols[:i], p):
			return Terms{}, fmt.Errorf("subprotocol %q: must not be listed twice", p)
		}
	}
	return terms, nil
}

// Agreement is the result of an accepted handshake.
type Agreement struct {
	Subprotocol string // empty for none

	// Deflate is whether permessage-deflate was negotiated (RFC 7692). The client's window has
	// 1<<WindowBits bytes; if WindowBits is 0, any distance is allowed.
	Deflate    bool
	WindowBits int

	connect bool   // by extended CONNECT: the rest is zero
	key     string // Sec-WebSocket-Key
	close   bool   // the request has "Connection: close"
}

// Check checks the request (RFC 6455 §4.2.1, RFC 8441 §5). It returns an agreement or a refusal.
func Check(r *http.Request, terms Terms) (Agreement, *Refusal) {
	checks := []func(*http.Request) *Refusal{
		checkMethod, checkProto, checkUpgrade, checkBody, checkVersion, checkKey,
	}
	if isMultiplexed(r) {
		checks = []func(*http.Request) *Refusal{checkConnect, checkContentLength, checkVersion}
	}
	for _, check := range checks {
		if refused := check(r); refused != nil {
			return Agreement{}, refused
		}
	}
	if err := checkOrigin(r, terms.origins); err != nil {
		return Agreement{}, Refusef(http.StatusForbidden, "%v", err)
	}
	return negotiate(r, terms)
}

func checkMethod(r *http.Request) *Refusal {
	if r.Method != http.MethodGet {
		return Refusef(http.StatusMethodNotAllowed,
			"method %.100q: a WebSocket handshake must be a GET request", r.Method)
	}
	return nil
}

func checkProto(r *http.Request) *Refusal {
	if !r.ProtoAtLeast(1, 1) {
		return Refusef(http.StatusBadRequest, "%s: a WebSocket handshake needs HTTP/1.1 "+
			"(a proxy in front may have to be told to use it)", r.Proto)
	}
	return nil
}

func checkUpgrade(r *http.Request) *Refusal {
	if isUpgrade(r) {
		return nil
	}
	if err := CheckStripped(r); err != nil {
		return Refusef(http.StatusUpgradeRequired, "%v", err)
	}
	return Refusef(http.StatusUpgradeRequired, "this is a WebSocket endpoint: "+
		`send a handshake with "Connection: Upgrade" and "Upgrade: websocket"`)
}

// IsHandshake reports whether the request asks for a WebSocket: by an upgrade of HTTP/1.1, or by an
// extended CONNECT of HTTP/2 or HTTP/3.
func IsHandshake(r *http.Request) bool {
	if isMultiplexed(r) {
		return isConnect(r)
	}
	return isUpgrade(r)
}

// isUpgrade reports whether the request asks for an upgrade to WebSocket. The Upgrade header counts
// only if Connection lists it (RFC 9110 §7.8).
func isUpgrade(r *http.Request) bool {
	return hasToken(r.Header, "Upgrade", "websocket") &&
		hasToken(r.Header, "Connection", "upgrade")
}

// CheckStripped returns an error for a request that has a Sec-WebSocket-Key but is not an upgrade.
// The error names the header that is missing.
func CheckStripped(r *http.Request) error {
	switch {
	case len(r.Header["Sec-Websocket-Key"]) == 0:
		return nil
	case !hasToken(r.Header, "Upgrade", "websocket"):
		return errStripped("Upgrade: websocket")
	case !hasToken(r.Header, "Connection", "upgrade"):
		return errStripped("Connection: Upgrade")
	}
	return nil
}

func errStripped(missing string) error {
	return fmt.Errorf("WebSocket handshake without %q: a proxy in front has probably removed "+
		"it, and must be told to forward Upgrade and Connection", missing)
}

func checkBody(r *http.Request) *Refusal {
	if announcesBody(r) {
		return Refusef(http.StatusBadRequest, "a WebSocket handshake must have no body")
	}
	return nil
}

// checkVersion refuses other versions as in RFC 6455 §4.4.
func checkVersion(r *http.Request) *Refusal {
	versions := r.Header["Sec-Websocket-Version"]
	if slices.Equal(versions, []string{"13"}) {
		return nil
	}
	return Refusef(http.StatusUpgradeRequired,
		"Sec-WebSocket-Version %.100q: must be 13, given once", strings.Join(versions, ", "))
}

func checkKey(r *http.Request) *Refusal {
	keys := r.Header["Sec-Websocket-Key"]
	if len(keys) != 1 {
		return Refusef(http.StatusBadRequest,
			"%d Sec-WebSocket-Key headers: must be one", len(keys))
	}
	if !isKey(keys[0]) {
		return Refusef(http.StatusBadRequest,
			"Sec-WebSocket-Key %.100q: must be 16 bytes in base64", keys[0])
	}
	return nil
}

func isKey(s string) bool {
	var key [18]byte // the most that 24 characters can encode
	if len(s) != base64.StdEncoding.EncodedLen(16) {
		return false
	}
	n, err := base64.StdEncoding.Decode(key[:], []byte(s))
	return err == nil && n == 16
}

// negotiate selects the subprotocol and the extension (RFC 6455 §4.2.2 item 5).
func negotiate(r *http.Request, terms Terms) (Agreement, *Refusal) {
	subprotocol, err := negotiateSubprotocol(r.Header, terms.subprotocols)
	if err != nil {
		return Agreement{}, Refusef(http.StatusBadRequest, "%v", err)
	}
	deflate, err := negotiateDeflate(r.Header)
	if err != nil {
		return Agreement{}, Refusef(http.StatusBadRequest, "%v", err)
	}
	agreed := Agreement{Subprotocol: subprotocol, connect: isMultiplexed(r)}
	if !agreed.connect {
		agreed.key, agreed.close = r.Header.Get("Sec-WebSocket-Key"), r.Close
	}
	if deflate != nil && terms.compression {
		agreed.Deflate, agreed.WindowBits = true, deflate.windowBits
	}
	return agreed, nil
}

// SetHeader adds the server's handshake to the headers that outer handlers have set (RFC 6455
// §4.2.2).
func (a *Agreement) SetHeader(h http.Header) {
	if !a.connect {
		a.setUpgrade(h)
	}
	delete(h, "Sec-Websocket-Protocol")
	if a.Subprotocol != "" {
		h.Set("Sec-WebSocket-Protocol", a.Subprotocol)
	}
	delete(h, "Sec-Websocket-Extensions")
	if a.Deflate {
		h.Set("Sec-WebSocket-Extensions", deflateParams{a.WindowBits}.String())
	}
}

func (a *Agreement) setUpgrade(h http.Header) {
	h["Upgrade"] = []string{"websocket"}
	h["Connection"] = []string{"Upgrade"}
	if a.close {
		// Without "close", net/http would replace the header with it.
		h["Connection"] = []string{"Upgrade, close"}
	}
	h["Sec-Websocket-Accept"] = []string{acceptKey(a.key)}
}

// acceptKey returns the value of Sec-WebSocket-Accept (RFC 6455 §4.2.2 item 5.4).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
