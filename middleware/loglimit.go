package middleware

import (
	"sync"
	"time"
)

// In each logWindow, logBurst lines of a kind are logged. An attacker can cause thousands.
const (
	logWindow = time.Second
	logBurst  = 5
)

// logKind is the attribute that lines have in common, such as status=403. Its value must not come
// from outside, so that there are few kinds.
type logKind struct {
	name  string
	value any
}

// logLimiter limits the lines of each kind. The zero value is ready.
type logLimiter struct {
	mu    sync.Mutex
	lines map[logKind]int // in the current window of the kind, which begins with its first line
}

// allow reports whether a line may be logged. If lines are left out, summarize is called with their
// number when the window is over.
func (l *logLimiter) allow(kind logKind, summarize func(kind logKind, leftOut int)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		l.lines = make(map[logKind]int)
	}
	l.lines[kind]++
	if l.lines[kind] == 1 {
		// A timer, since there may be no further line that could log the number.
		time.AfterFunc(logWindow, func() {
			if leftOut := l.endWindow(kind) - logBurst; leftOut > 0 {
				summarize(kind, leftOut)
			}
		})
	}
	return l.lines[kind] <= logBurst
}

// endWindow returns the number of lines in the window.
func (l *logLimiter) endWindow(kind logKind) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer delete(l.lines, kind)
	return l.lines[kind]
}
