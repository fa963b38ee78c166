package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/wsecho/middleware"
)

// A value is a [flag.Value] whose errors name the rule: those of flag.Duration and flag.Int are
// only "parse error".
type value[T any] struct {
	to    *T
	parse func(string) (T, error)
}

// String is also called for the zero value, with which flag compares defaults. It quotes texts, as
// flag does for its own.
func (v value[T]) String() string {
	var t T
	if v.to != nil {
		t = *v.to
	}
	if text, ok := any(t).(string); ok {
		return strconv.Quote(text)
	}
	return fmt.Sprint(t)
}

func (v value[T]) Set(s string) error {
	t, err := v.parse(s)
	if err == nil {
		*v.to = t
	}
	return err
}

// IsBoolFlag makes -tls short for -tls=true.
func (v value[T]) IsBoolFlag() bool {
	_, ok := any(v.to).(*bool)
	return ok
}

func parseBool(s string) (bool, error) {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, errors.New("must be true or false")
	}
	return b, nil
}

func parseText(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", errors.New("must be UTF-8")
	}
	return s, nil
}

func parsePath(s string) (string, error) {
	if s == "" {
		return "", errors.New(`must begin with "/"`)
	}
	return s, rule(s, middleware.Options{Path: s}.Validate())
}

// rule returns the error without what flag says too: what is wrong, with its value.
func rule(value string, err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if _, after, ok := strings.Cut(text, strconv.Quote(value)+": "); ok {
		text = after
	}
	return errors.New(text)
}

func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errors.New("must be a duration such as 30s")
	}
	return d, nil
}

var errNegative = errors.New("must not be negative")

// parseSpan is for durations of which a zero is none, as the help says.
func parseSpan(s string) (time.Duration, error) {
	d, err := parseDuration(s)
	if err == nil && d < 0 {
		err = errNegative
	}
	return d, err
}

func parseRate(s string) (float64, error) {
	rate, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || math.IsNaN(rate) || math.IsInf(rate, 0):
		return 0, errors.New("must be a number such as 100 or 0.5")
	case rate < 0:
		return 0, errNegative
	}
	return rate, nil
}

// parseCount is for limits of which a zero is none, as the help says.
func parseCount(s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, strconv.IntSize)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("must be a whole number of at most %d bits", strconv.IntSize)
	case err != nil:
		return 0, errors.New("must be a whole number")
	case n < 0:
		return 0, errNegative
	}
	return int(n), nil
}

// errZero is for the limits, of which [middleware.Options] takes a zero for the default.
var errZero = errors.New("must not be 0; a negative one disables it")

func parseInterval(s string) (time.Duration, error) {
	d, err := parseDuration(s)
	if err == nil && d == 0 {
		err = errZero
	}
	return d, err
}

func parseLimit(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("must be a whole number of at most 64 bits")
	case err != nil:
		return 0, errors.New("must be a whole number")
	case n == 0:
		return 0, errZero
	}
	return n, nil
}
