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

// Write writes the refusal as the response to r. If a body is announced, net/http would wait for it
// before it sends the response, unless the first Connection header is "close" and nothing else.
func (f *Refusal) Write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	var connection []string
	// In HTTP/2, "close" would end the connection for the other streams too, and nothing waits.
	if f.Status == http.StatusBadRequest || announcesBody(r) && r.ProtoMajor < 2 {
		connection = append(connection, "close")
	}
	switch f.Status {
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodGet)
	case http.StatusUpgradeRequired:
		connection = append(connection, "Upgrade")
		h.Set("Upgrade", "websocket")
		h.Set("Sec-WebSocket-Version", "13")
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", retryAfter)
	}
	if connection != nil {
		h["Connection"] = connection
	}
	http.Error(w, f.Reason, f.Status)
}

func announcesBody(r *http.Request) bool {
	return r.ContentLength != 0 || len(r.TransferEncoding) > 0
}
