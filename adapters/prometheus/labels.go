package wsprometheus

import (
	"slices"
	"strconv"
)

// What is counted by itself. Neither list is ever changed.
var (
	statuses = []int{101, 400, 403, 405, 426, 500, 503, 505}

	// closeCodes has one code for all of a range that is grouped.
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

// closeLabel groups the codes from 3000 on, of which a client can pick any (RFC 6455 §7.4.2).
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
