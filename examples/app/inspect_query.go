package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Bounds of controls.
const (
	maxDelay   = time.Minute
	minEvery   = 10 * time.Millisecond
	maxEvery   = time.Hour
	maxSize    = 1 << 20
	maxReports = 1_000_000
)

// controls are what the query of an inspector's URL asks for. Other names in it are ignored. N
// counts reports, those of messages and those that are pushed, without that of the handshake.
type controls struct {
	delay      time.Duration // delay=250ms: reports of messages come so much later
	every      time.Duration // every=1s: a report is pushed every second; 0: never
	sized      bool          // size=64KiB: reports have this size, in bytes
	size       int
	closeCode  int // close=4000@N: closes with 4000 after N reports; 0: does not
	closeAfter int
	cuts       bool // cut=N: cuts the connection after N reports, without a close frame
	cutAfter   int
	pingsOff   bool // ping=off: the server sends no pings
	status     int  // status=503: the handshake is refused with 503; 0: it is not
}

// controlParsers have the names of the controls in the query.
var controlParsers = []struct {
	name  string
	parse func(c *controls, value string) error
}{
	{"delay", (*controls).parseDelay},
	{"size", (*controls).parseSize},
	{"every", (*controls).parseEvery},
	{"close", (*controls).parseClose},
	{"cut", (*controls).parseCut},
	{"ping", (*controls).parsePing},
	{"status", (*controls).parseStatus},
}

// parseControls returns an error that names the control, its value and the rule.
func parseControls(query string) (controls, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return controls{}, fmt.Errorf("query: %w", err)
	}
	var c controls
	var given []string
	for _, control := range controlParsers {
		list, ok := values[control.name]
		switch {
		case !ok:
			continue
		case len(list) > 1:
			return controls{}, fmt.Errorf("%s: must not be given twice", control.name)
		}
		if err := control.parse(&c, list[0]); err != nil {
			return controls{}, fmt.Errorf("%s %.50q: %w", control.name, list[0], err)
		}
		given = append(given, control.name)
	}
	return c, c.check(given)
}

// check checks the rules for more than one control.
func (c *controls) check(given []string) error {
	switch {
	case c.status != 0 && len(given) > 1:
		return fmt.Errorf("status: must be alone, without %s, as it makes no connection", given[0])
	case c.closeCode != 0 && c.cuts:
		return errors.New("cut: must not be given together with close")
	case c.every > 0 && float64(c.size) > c.every.Seconds()*maxInspectionBytes:
		return fmt.Errorf("size: must be at most %d MiB a second, and it is more with every=%v",
			maxInspectionBytes>>20, c.every)
	}
	return nil
}

func (c *controls) parseDelay(s string) (err error) {
	c.delay, err = time.ParseDuration(s)
	if err != nil || c.delay < 0 || c.delay > maxDelay {
		return errors.New("must be a duration from 0s to 60s, such as 250ms")
	}
	return nil
}

func (c *controls) parseEvery(s string) (err error) {
	c.every, err = time.ParseDuration(s)
	if err != nil || c.every < minEvery || c.every > maxEvery {
		return errors.New("must be a duration from 10ms to 1h, such as 1s")
	}
	return nil
}

func (c *controls) parseSize(s string) (err error) {
	digits, unit := s, 1
	for name, size := range map[string]int{"KiB": 1 << 10, "MiB": 1 << 20} {
		if before, ok := strings.CutSuffix(s, name); ok {
			digits, unit = before, size
		}
	}
	c.sized = true
	if c.size, err = parseAtMost(digits, maxSize/unit); err != nil {
		return errors.New("must be a number of bytes from 0 to 1MiB, such as 4096 or 64KiB")
	}
	c.size *= unit
	return nil
}

func (c *controls) parseClose(s string) (err error) {
	code, after, counted := strings.Cut(s, "@")
	if c.closeCode, err = parseAtMost(code, 4999); err == nil && counted {
		c.closeAfter, err = parseAtMost(after, maxReports)
	}
	if err != nil || !isCloseCode(c.closeCode) {
		return errors.New("must be CODE or CODE@N, such as 4000@3, with a code from 1000 to 1003, " +
			"1007 to 1014 or 3000 to 4999, and N from 0 to 1000000")
	}
	return nil
}

// isCloseCode reports whether a close frame may have the code (RFC 6455 §7.4).
func isCloseCode(code int) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 ||
		code >= 3000 && code <= 4999
}

func (c *controls) parseCut(s string) (err error) {
	c.cuts = true
	if c.cutAfter, err = parseAtMost(s, maxReports); err != nil {
		return errors.New("must be a number of reports from 0 to 1000000")
	}
	return nil
}

func (c *controls) parsePing(s string) error {
	if c.pingsOff = s == "off"; !c.pingsOff && s != "on" {
		return errors.New("must be on or off")
	}
	return nil
}

func (c *controls) parseStatus(s string) (err error) {
	c.status, err = parseAtMost(s, 599)
	if err != nil || c.status < http.StatusMultipleChoices {
		return errors.New("must be from 300 to 599: 1xx, such as 101, and 2xx do not refuse")
	}
	return nil
}

var errCount = errors.New("must be a whole number within bounds")

// parseCount parses decimal digits.
func parseAtMost(s string, most int) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || int(n) > most {
		return 0, errCount
	}
	return int(n), nil
}
