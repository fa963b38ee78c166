package program

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// Log records what is written to it, such as a program's standard error, for tests to wait for.
type Log struct {
	mu      sync.Mutex
	text    strings.Builder
	written chan struct{} // signals new text
}

// NewLog returns an empty log.
func NewLog() *Log { return &Log{written: make(chan struct{}, 1)} }

// Write adds to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.written <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

// String returns the whole log.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Want waits until the text is in the log.
func (l *Log) Want(t testing.TB, text string) {
	t.Helper()
	for timeout := time.After(Patience); !strings.Contains(l.String(), text); {
		select {
		case <-l.written:
		case <-timeout:
			t.Fatalf("logged\n%swant %q", l, text)
		}
	}
}
