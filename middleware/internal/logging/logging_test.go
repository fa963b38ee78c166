package logging_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware/internal/logging"
)

func TestCut(t *testing.T) {
	x := strings.Repeat("x", 197)
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{x + "abc", x + "abc"},
		{x + "abcd", x + "abc..."},
		{x + "abä", x + "ab..."},
		{x + "a€b", x + "a..."},
		{x + "€b", x + "€..."},
		{strings.Repeat("\x80", 201), strings.Repeat("\x80", 196) + "..."},
	} {
		if got := logging.Cut(test.in); got != test.want {
			t.Errorf("Cut(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

// panicker is a destination that fails.
type panicker struct{}

func (panicker) Write([]byte) (int, error) { panic("disk full") }

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		var limiter logging.Limiter
		for i := range 8 {
			if got := limiter.Allow(logger, "status", 403); got != (i < 5) {
				t.Errorf("line %d: %v", i+1, got)
			}
		}
		if !limiter.Allow(logger, "status", 400) || !limiter.Allow(logger, "code", 403) {
			t.Error("other kinds are not allowed")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got, want := log.String(), `level=WARN msg="WebSocket log lines left out" status=403 count=3`; !strings.HasSuffix(got, want+"\n") {
			t.Errorf("logged %q, want %q", got, want)
		}
		if !limiter.Allow(logger, "status", 403) {
			t.Error("not allowed in the next window")
		}
	})
}

// A logger that panics on the timer's goroutine does not end the process.
func TestLimiterOfPanickingLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var limiter logging.Limiter
		for range 6 {
			limiter.Allow(slog.New(slog.NewTextHandler(panicker{}, nil)), "status", 403)
		}
		time.Sleep(2 * time.Second)
	})
}
