package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// controls are what the query of an inspector's URL asks for. Other names in it are ignored. N
// counts reports, those of messages and those that are pushed, without that of the handshake.
type controls struct {
	delay     time.Duration // delay=250ms: reports of messages come so much later
	every     time.Duration // every=1s: a report is pushed every second; 0: never
	sized     bool          // size=64KiB: reports have this size, in bytes
	size      int64
	ends      bool // close=4000@N: closes with 4000 after N reports
	endAfter  int
	closeCode int  // 0, for cut=N: cuts the connection after N reports, without a close frame
	pingsOff  bool // ping=off: the server sends no pings
	status    int  // status=503: the handshake is refused with 503; 0: it is not
}

// parseControls returns an error that names the control, its value and the rule.
func parseControls(query string) (c controls, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return c, fmt.Errorf("query: %w", err)
	}
	var given []string
	for _, name := range []string{"delay", "size", "every", "close", "cut", "ping", "status"} {
		list, ok := values[name]
		switch {
		case !ok:
			continue
		case len(list) > 1:
			return c, fmt.Errorf("%s: must not be given twice", name)
		}
		if rule, ok := c.set(name, list[0]); !ok {
			return c, fmt.Errorf("%s %.50q: must be %s", name, list[0], rule)
		}
		given = append(given, name)
	}
	switch {
	case c.status != 0 && len(given) > 1:
		return c, fmt.Errorf("status: must be alone, without %s, as it makes no connection", given[0])
	case values.Has("close") && values.Has("cut"):
		return c, errors.New("cut: must not be given together with close")
	case c.every > 0 && float64(c.size) > c.every.Seconds()*maxInspectionBytes:
		return c, fmt.Errorf("size: must be at most %d MiB a second, and it is more with every=%v",
			maxInspectionBytes>>20, c.every)
	}
	return c, nil
}

// set sets a control, and reports whether its value is within the rule.
func (c *controls) set(name, value string) (rule string, ok bool) {
	const maxReports = 1_000_000
	switch name {
	case "delay":
		c.delay, ok = within(time.ParseDuration, value, 0, time.Minute)
		return "a duration from 0s to 60s, such as 250ms", ok
	case "every":
		c.every, ok = within(time.ParseDuration, value, 10*time.Millisecond, time.Hour)
		return "a duration from 10ms to 1h, such as 1s", ok
	case "size":
		c.sized = true
		c.size, ok = within(parseBytes, value, 0, 1<<20)
		return "a number of bytes from 0 to 1MiB, such as 4096 or 64KiB", ok
	case "close":
		c.ends = true
		code, after, counted := strings.Cut(value, "@")
		if c.closeCode, ok = within(strconv.Atoi, code, 1000, 4999); ok && counted {
			c.endAfter, ok = within(strconv.Atoi, after, 0, maxReports)
		}
		return "CODE or CODE@N, such as 4000@3, with a code from 1000 to 1003, 1007 to 1014 or " +
			"3000 to 4999, and N from 0 to 1000000", ok && isCloseCode(c.closeCode)
	case "cut":
		c.ends = true
		c.endAfter, ok = within(strconv.Atoi, value, 0, maxReports)
		return "a number of reports from 0 to 1000000", ok
	case "ping":
		c.pingsOff = value == "off"
		return "on or off", c.pingsOff || value == "on"
	default: // "status"
		c.status, ok = within(strconv.Atoi, value, 300, 599)
		return "from 300 to 599: 1xx, such as 101, and 2xx do not refuse", ok
	}
}

func within[T cmp.Ordered](
	parse func(string) (T, error), s string, least, most T,
) (value T, ok bool) {
	value, err := parse(s)
	return value, err == nil && least <= value && value <= most
}

// parseBytes parses a number such as 4096, 64KiB or 1MiB.
func parseBytes(s string) (int64, error) {
	digits := strings.TrimRight(s, "KMiB")
	unit := map[string]int64{"": 1, "KiB": 1 << 10, "MiB": 1 << 20}[s[len(digits):]]
	if unit == 0 {
		return 0, strconv.ErrSyntax
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	return n * unit, err
}

// isCloseCode reports whether a close frame may have the code (RFC 6455 §7.4).
func isCloseCode(code int) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 ||
		code >= 3000 && code <= 4999
}
