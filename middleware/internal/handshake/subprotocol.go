package handshake

import (
	"fmt"
	"net/http"
	"slices"
)

// negotiateSubprotocol selects one of the subprotocols that the client offers, or none. Each offer
// must be a token and unique (RFC 6455 §4.1 item 10).
func negotiateSubprotocol(h http.Header, supported []string) (string, error) {
	offers, err := subprotocolOffers(h)
	if err != nil {
		return "", err
	}
	selected := selectSubprotocol(supported, offers)
	if p, ok := duplicate(offers); ok {
		return "", fmt.Errorf("Sec-WebSocket-Protocol %.100q: must not be offered twice", p)
	}
	return selected, nil
}

// subprotocolOffers returns the client's offers on all lines of the header.
func subprotocolOffers(h http.Header) ([]string, error) {
	n := 0
	for range listElements(h, "Sec-Websocket-Protocol") {
		n++
	}
	offers := make([]string, 0, n) // Growing step by step would cost five times as much.
	for p := range listElements(h, "Sec-Websocket-Protocol") {
		if !isToken(p) {
			return nil, fmt.Errorf("Sec-WebSocket-Protocol %.100q: must be a token", p)
		}
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

// fewOffers is how many offers are compared without sorting. Browsers rarely send more.
const fewOffers = 16

// duplicate returns an offer that is in the list more than once. It may reorder the list: comparing
// all pairs would take quadratic time, and a map several times the memory.
func duplicate(offers []string) (offer string, ok bool) {
	if len(offers) > fewOffers {
		slices.Sort(offers)
		for i, p := range offers[1:] {
			if p == offers[i] {
				return p, true
			}
		}
		return "", false
	}
	for i, p := range offers {
		if slices.Contains(offers[:i], p) {
			return p, true
		}
	}
	return "", false
}
