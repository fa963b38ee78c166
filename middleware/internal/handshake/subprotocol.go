package handshake

import (
	"fmt"
	"net/http"
	"slices"
)

// subprotocolOffers returns what the client offers, on all lines of the header; each must be a
// token and different from the others (RFC 6455 §4.1 item 10).
func subprotocolOffers(h http.Header) ([]string, error) {
	var offers []string
	seen := map[string]bool{} // A slice would be slow to search: there may be very many.
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

// selectSubprotocol returns the first one spoken that is offered. If none is listed as spoken, it
// is the client's first offer.
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
