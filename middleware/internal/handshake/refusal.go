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

// Write writes the refusal as the response.
func (f *Refusal) Write(w http.ResponseWriter) {
	h := w.Header()
	switch f.Status {
	case http.StatusBadRequest:
		h.Set("Connection", "close") // or net/http waits for the request body first
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodGet)
	case http.StatusUpgradeRequired:
		h.Set("Connection", "Upgrade")
		h.Set("Upgrade", "websocket")
		h.Set("Sec-WebSocket-Version", "13")
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", retryAfter)
	}
	http.Error(w, f.Reason, f.Status)
}
