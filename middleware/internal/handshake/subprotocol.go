package handshake

import (
	"fmt"
	"net/http"
	"slices"
)

// subprotocolOffers returns the client's offers on all lines of the header. Each must be a token
// and unique (RFC 6455 §4.1 item 10).
func subprotocolOffers(h http.Header) ([]string, error) {
	var offers []string
	seen := map[string]bool{} // A search in offers would be quadratic.
	for p := range listElements(h, "Sec-Websocket-Protocol") {
		if !isToken(p) {
			return nil, fmt.Errorf("Sec-WebSocket-Protocol %.100q: must be a token", p)
		}
		if seen[p] {
			return nil, fmt.Errorf("Sec-WebSocket-Protocol %.100q: must not be offered twice", p)
		}
		seen[p] = true
		offers = append(offers, p)
	}
	return offers, nil
}

// selectSubprotocol returns the first supported subprotocol that is offered, or "". If no
// subprotocols are configured, it returns the first offer.
func selectSubprotocol(supported, offers []string) string {
	if len(offers) == 0 {
		return ""
	}
	if len(supported) == 0 {
		return offers[0]
	}
	for _, p := range supported {
		if slices.Contains(offers, p) {
			return p
		}
	}
	return ""
}
