// Package browser_test drives the page of examples/app in Chromium.
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

// The environment variable screenshots names the directory for the pictures of failed tests.
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
		defer os.Remove(dir) // It remains if it holds pictures.
		os.Setenv(screenshots, dir)
	}
	before := runtime.NumGoroutine()
	code := m.Run()
	if code == 0 && !goroutinesReturn(before) {
		fmt.Fprintln(os.Stderr, "goroutines have outlived the tests:")
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		return 1
	}
	return code
}

// goroutinesReturn waits until there are no more than n.
func goroutinesReturn(n int) bool {
	for deadline := time.Now().Add(program.Patience); time.Now().Before(deadline); runtime.Gosched() {
		if runtime.NumGoroutine() <= n {
			return true
		}
	}
	return false
}
