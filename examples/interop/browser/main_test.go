// Package browser_test drives the page of examples/app in Chromium and in Firefox.
package browser_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/program"
)

// The environment variable screenshots names the directory for screenshots of failed tests.
const screenshots = "WSECHO_SCREENSHOTS"

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getenv(screenshots) == "" {
		dir, err := os.MkdirTemp("", "wsecho-screenshots-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.Remove(dir) // This fails if there are screenshots, which are kept.
		os.Setenv(screenshots, dir)
	}
	before := runtime.NumGoroutine()
	code := m.Run()
	if code == 0 && !goroutinesEnd(before) {
		fmt.Fprintln(os.Stderr, "the tests leaked goroutines:")
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		return 1
	}
	return code
}

// goroutinesEnd reports whether the number of goroutines falls to n before the timeout.
func goroutinesEnd(n int) bool {
	for deadline := time.Now().Add(program.Patience); time.Now().Before(deadline); runtime.Gosched() {
		if runtime.NumGoroutine() <= n {
			return true
		}
	}
	return false
}
