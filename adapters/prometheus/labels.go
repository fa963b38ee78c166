package wsprometheus

import (
	"slices"
	"strconv"
)

// The values that have a label of their own. Neither list changes.
var (
	statuses = []int{101, 400, 403, 405, 426, 500, 503, 505}

	// closeCodes has the first code of each range that is grouped.
	closeCodes = []int{
		1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
		3000, 4000,
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
