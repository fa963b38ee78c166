// Package leak detects goroutines that tests leak.
package leak

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// timeout is how long goroutines may take to end.
const timeout = 10 * time.Second

// Run runs the tests, for a TestMain, and returns the exit status: that of the tests, or 1 if
// there are more goroutines after them than before.
func Run(m *testing.M) int {
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
	http.DefaultClient.CloseIdleConnections()
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); runtime.Gosched() {
		if runtime.NumGoroutine() <= n {
			return true
		}
	}
	return false
}
