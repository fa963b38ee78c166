// Package logging limits what clients can make the server log: the length of values and the number
// of lines.
//
// It must not know what is logged.
package logging

import (
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"
)

// maxValue is the number of bytes that a value from outside may have in a line. A request can have
// a path of a megabyte.
const maxValue = 200

// Cut returns s, or its first characters and "...", which do not refer to the rest.
func Cut(s string) string {
	if len(s) <= maxValue {
		return s
	}
	end := maxValue
	for end > maxValue-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}

// Recover is deferred by everything that logs. A panic of the logger loses the line: on the
// goroutine of a timer or a detached connection, nobody else would recover it.
func Recover() { _ = recover() }

// In each window, burst lines of a kind are logged. An attacker can cause thousands.
const (
	window = time.Second
	burst  = 5
)

// kind is the attribute that lines have in common, such as status=403.
type kind struct {
	name  string
	value any
}

// Limiter limits the lines of each kind. The zero value is ready.
type Limiter struct {
	mu    sync.Mutex
	lines map[kind]int // in the current window of the kind, which begins with its first line
}

// Allow reports whether a line with the attribute may be logged. The value must not come from
// outside, so that there are few kinds. When the window is over, the number of lines left out is
// logged to l.
func (m *Limiter) Allow(l *slog.Logger, name string, value any) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lines == nil {
		m.lines = make(map[kind]int)
	}
	k := kind{name, value}
	m.lines[k]++
	if m.lines[k] == 1 {
		// A timer, since there may be no further line that could log the number.
		time.AfterFunc(window, func() { m.endWindow(l, k) })
	}
	return m.lines[k] <= burst
}

func (m *Limiter) endWindow(l *slog.Logger, k kind) {
	defer Recover()
	if leftOut := m.take(k) - burst; leftOut > 0 {
		l.Warn("WebSocket log lines left out", k.name, k.value, "count", leftOut)
	}
}

// take returns the number of lines in the window and ends it.
func (m *Limiter) take(k kind) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer delete(m.lines, k)
	return m.lines[k]
}
