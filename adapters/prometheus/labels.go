package wsprometheus

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The values that have a label of their own. No list changes.
var (
	statuses = []int{101, 400, 403, 405, 426, 429, 500, 503, 505}

	// closeCodes has the first code of each range that is grouped.
	closeCodes = []int{
		1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
		3000, 4000,
	}

	// causes are those of [middleware.CloseInfo.Cause].
	causes = []string{
		"client", "server", "close timeout", "write timeout", "end of stream", "reset", "cut",
		"network",
	}

	// reasons are the classes of refusals.
	reasons = []string{
		"client limit", "error", "http version", "limit", "malformed", "method", "origin",
		"shutdown", "version",
	}
)

const otherLabel = "other"

func statusLabel(status int) string {
	if slices.Contains(statuses, status) {
		return strconv.Itoa(status)
	}
	return otherLabel
}

// closeLabel groups codes from 3000 on, since a client can send any of them (RFC 6455 §7.4.2).
func closeLabel(code int) string {
	switch {
	case code >= 3000 && code <= 3999:
		return "3xxx"
	case code >= 4000 && code <= 4999:
		return "4xxx"
	case slices.Contains(closeCodes, code):
		return strconv.Itoa(code)
	}
	return otherLabel
}

func causeLabel(cause string) string {
	if slices.Contains(causes, cause) {
		return cause
	}
	return otherLabel
}

// reasonLabel returns the class of a refusal. The text is looked at only where the status has two
// reasons, both of them the server's own words.
func reasonLabel(status int, reason string) string {
	switch status {
	case http.StatusBadRequest:
		return "malformed"
	case http.StatusForbidden:
		return "origin"
	case http.StatusMethodNotAllowed:
		return "method"
	case http.StatusUpgradeRequired:
		return "version"
	case http.StatusTooManyRequests:
		return "client limit"
	case http.StatusInternalServerError:
		return "error"
	case http.StatusHTTPVersionNotSupported:
		return "http version"
	case http.StatusServiceUnavailable:
		if strings.Contains(reason, "shutting down") {
			return "shutdown"
		}
		return "limit"
	}
	return otherLabel
}
