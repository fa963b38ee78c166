package middleware

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// handshake is what was read from an acceptable request and is to be answered.
type handshake struct {
	key         string
	subprotocol string         // empty if none was agreed on
	deflate     *deflateParams // nil if messages travel as they are
}

// refusal is the HTTP answer to a handshake that is not accepted.
type refusal struct {
	status int
	reason string // one sentence for whoever debugs the client
}

func refusef(status int, format string, args ...any) *refusal {
	return &refusal{status, fmt.Sprintf(format, args...)}
}

func (f *refusal) write(w http.ResponseWriter) {
	h := w.Header()
	switch f.status {
	case http.StatusBadRequest:
		h.Set("Connection", "close") // or net/http would first wait for a body that was announced
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodGet)
	case http.StatusUpgradeRequired:
		h.Set("Connection", "Upgrade")
		h.Set("Upgrade", "websocket")
		h.Set("Sec-WebSocket-Version", "13")
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", retryAfter)
	}
	http.Error(w, f.reason, f.status)
}

// retryAfter, in seconds, is short because a slot may be free at any moment, and because behind
// a load balancer the next try reaches another machine.
const retryAfter = "1"

// checkHandshake reads the client's opening handshake (RFC 6455 §4.2.1) and picks from its
// offers, or says why it is refused.
func (m *Middleware) checkHandshake(r *http.Request) (*handshake, *refusal) {
	for _, check := range []func(*http.Request) *refusal{
		checkMethod, checkProto, checkUpgrade, checkBody, checkVersion, checkKey,
	} {
		if f := check(r); f != nil {
			return nil, f
		}
	}
	if err := checkOrigin(r, m.origins); err != nil {
		return nil, refusef(http.StatusForbidden, "%v", err)
	}
	return m.negotiate(r)
}

func checkMethod(r *http.Request) *refusal {
	if r.Method != http.MethodGet {
		return refusef(http.StatusMethodNotAllowed,
			"method %.100q: a WebSocket handshake must be a GET request", r.Method)
	}
	return nil
}

func checkProto(r *http.Request) *refusal {
	switch {
	case r.ProtoMajor >= 2:
		return refusef(http.StatusHTTPVersionNotSupported,
			"%s: WebSockets are served over HTTP/1.1 only", r.Proto)
	case !r.ProtoAtLeast(1, 1):
		return refusef(http.StatusBadRequest, "%s: a WebSocket handshake needs HTTP/1.1 "+
			"(a proxy in front may have to be told to use it)", r.Proto)
	}
	return nil
}

func checkUpgrade(r *http.Request) *refusal {
	if isUpgrade(r) {
		return nil
	}
	if missing := strippedHeader(r); missing != "" {
		return refusef(http.StatusUpgradeRequired, "%s", strippedReason(missing))
	}
	return refusef(http.StatusUpgradeRequired, "this is a WebSocket endpoint: "+
		`send a handshake with "Connection: Upgrade" and "Upgrade: websocket"`)
}

// isUpgrade reports whether the request asks to go on as a WebSocket; an Upgrade header counts
// only if Connection names it (RFC 9110 §7.8).
func isUpgrade(r *http.Request) bool {
	return hasToken(r.Header, "Upgrade", "websocket") &&
		hasToken(r.Header, "Connection", "upgrade")
}

// strippedHeader returns which header keeps the request from being an upgrade although its
// Sec-WebSocket-Key shows that a WebSocket client made it; empty if it is no such request.
func strippedHeader(r *http.Request) string {
	switch {
	case len(r.Header["Sec-Websocket-Key"]) == 0:
		return ""
	case !hasToken(r.Header, "Upgrade", "websocket"):
		return "Upgrade: websocket"
	case !hasToken(r.Header, "Connection", "upgrade"):
		return "Connection: Upgrade"
	}
	return ""
}

func strippedReason(missing string) string {
	return fmt.Sprintf("WebSocket handshake without %q: a proxy in front has probably removed "+
		"it, and must be told to forward Upgrade and Connection", missing)
}

func checkBody(r *http.Request) *refusal {
	if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
		return refusef(http.StatusBadRequest, "a WebSocket handshake must have no body")
	}
	return nil
}

// checkVersion answers any other version as RFC 6455 §4.4 says.
func checkVersion(r *http.Request) *refusal {
	versions := r.Header["Sec-Websocket-Version"]
	if slices.Equal(versions, []string{"13"}) {
		return nil
	}
	return refusef(http.StatusUpgradeRequired,
		"Sec-WebSocket-Version %.100q: must be 13, given once", strings.Join(versions, ", "))
}

func checkKey(r *http.Request) *refusal {
	keys := r.Header["Sec-Websocket-Key"]
	if len(keys) != 1 {
		return refusef(http.StatusBadRequest,
			"%d Sec-WebSocket-Key headers: must be one", len(keys))
	}
	if !isKey(keys[0]) {
		return refusef(http.StatusBadRequest,
			"Sec-WebSocket-Key %.100q: must be 16 bytes in base64", keys[0])
	}
	return nil
}

func isKey(s string) bool {
	var key [18]byte // room for what 24 characters can hold
	if len(s) != base64.StdEncoding.EncodedLen(16) {
		return false
	}
	n, err := base64.StdEncoding.Decode(key[:], []byte(s))
	return err == nil && n == 16
}

// negotiate picks the subprotocol and the extension (RFC 6455 §4.2.2 item 5).
func (m *Middleware) negotiate(r *http.Request) (*handshake, *refusal) {
	offers, refused := subprotocolOffers(r)
	if refused != nil {
		return nil, refused
	}
	deflate, err := negotiateDeflate(r.Header)
	if err != nil {
		return nil, refusef(http.StatusBadRequest, "%v", err)
	}
	if !m.opts.Compression {
		deflate = nil
	}
	return &handshake{
		key:         r.Header.Get("Sec-WebSocket-Key"),
		subprotocol: selectSubprotocol(m.opts.Subprotocols, offers),
		deflate:     deflate,
	}, nil
}

// subprotocolOffers returns what the client offers, on all lines of the header; each must be a
// token and different from the others (RFC 6455 §4.1 item 10).
func subprotocolOffers(r *http.Request) ([]string, *refusal) {
	var offers []string
	seen := map[string]bool{} // there may be very many
	for p := range listElements(r.Header, "Sec-Websocket-Protocol") {
		if !isToken(p) {
			return nil, refusef(http.StatusBadRequest,
				"Sec-WebSocket-Protocol %.100q: must be a token", p)
		}
		if seen[p] {
			return nil, refusef(http.StatusBadRequest,
				"Sec-WebSocket-Protocol %.100q: must not be offered twice", p)
		}
		seen[p] = true
		offers = append(offers, p)
	}
	return offers, nil
}

func selectSubprotocol(spoken, offers []string) string {
	if len(offers) == 0 {
		return ""
	}
	if len(spoken) == 0 {
		return offers[0]
	}
	for _, p := range spoken {
		if slices.Contains(offers, p) {
			return p
		}
	}
	return ""
}

// setHeader puts the server's side of the handshake among the headers that outer layers have
// set (RFC 6455 §4.2.2).
func (hs *handshake) setHeader(h http.Header, r *http.Request) {
	h["Upgrade"] = []string{"websocket"}
	h["Connection"] = []string{"Upgrade"}
	if r.Close {
		// Without its own "close", net/http would put it in the place of Upgrade.
		h["Connection"] = []string{"Upgrade, close"}
	}
	h["Sec-Websocket-Accept"] = []string{acceptKey(hs.key)}
	h.Del("Sec-WebSocket-Protocol")
	if hs.subprotocol != "" {
		h.Set("Sec-WebSocket-Protocol", hs.subprotocol)
	}
	h.Del("Sec-WebSocket-Extensions")
	if hs.deflate != nil {
		h.Set("Sec-WebSocket-Extensions", hs.deflate.response())
	}
}

// acceptKey proves that the key was understood (RFC 6455 §4.2.2 item 5.4).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
