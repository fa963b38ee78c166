package output

import (
	"fmt"
	"testing"
	"time"

	"example.com/wsecho/middleware/wstest"
)

func TestMain(m *testing.M) { wstest.Main(m) }

// writeFlush writes the frames or pieces and flushes them.
func writeFlush(t *testing.T, o *Output, pieces ...string) {
	t.Helper()
	for _, p := range pieces {
		if n, err := o.Write([]byte(p)); n != len(p) || err != nil {
			t.Fatalf("Write of %d bytes: %d, %v", len(p), n, err)
		}
	}
	if err := o.Flush(); err != nil {
		t.Fatalf("Flush: %v", err)
	}
}

func shorten(s string) string {
	if len(s) > 80 {
		return fmt.Sprintf("%q and %d bytes more", s[:80], len(s)-80)
	}
	return fmt.Sprintf("%q", s)
}

// after calls f, and returns how long it took.
func after(f func() error) (time.Duration, error) {
	began := time.Now()
	err := f()
	return time.Since(began), err
}
