package handshake

import (
	"fmt"
	"net/http"
)

// Refusal is the HTTP response to a handshake that is not accepted.
type Refusal struct {
	Status int
	Reason string // one sentence, for the developer of the client
}

// Refusef returns a refusal with a formatted reason.
func Refusef(status int, format string, args ...any) *Refusal {
	return &Refusal{status, fmt.Sprintf(format, args...)}
}

// retryAfter, in seconds, is short because a slot may become free at any moment, and because a load
// balancer may send the next attempt to another machine.
const retryAfter = "1"

// Write writes the refusal as the response to r.
func (f *Refusal) Write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	switch f.Status {
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodGet)
	case http.StatusUpgradeRequired:
		h.Set("Sec-WebSocket-Version", "13")
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		h.Set("Retry-After", retryAfter)
	}
	if !isMultiplexed(r) { // Otherwise it would concern the other streams, or be malformed.
		f.setConnection(h, r)
	}
	http.Error(w, f.Reason, f.Status)
}

// setConnection sets what concerns the connection. If a body is announced, net/http would wait for
// it before it sends the response, unless the first Connection header is "close" and nothing else.
func (f *Refusal) setConnection(h http.Header, r *http.Request) {
	var connection []string
	if f.Status == http.StatusBadRequest || announcesBody(r) {
		connection = append(connection, "close")
	}
	if f.Status == http.StatusUpgradeRequired {
		connection = append(connection, "Upgrade")
		h.Set("Upgrade", "websocket")
	}
	if connection != nil {
		h["Connection"] = connection
	}
}

func announcesBody(r *http.Request) bool {
	return r.ContentLength != 0 || len(r.TransferEncoding) > 0
}
