// Package leak finds goroutines that have outlived the tests.
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

// patience is how long goroutines may take to end.
const patience = 10 * time.Second

// Run runs the tests, for a TestMain, and returns the exit status: that of the tests, or 1 if
// there are more goroutines after them than before.
func Run(m *testing.M) int {
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
	http.DefaultClient.CloseIdleConnections()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); runtime.Gosched() {
		if runtime.NumGoroutine() <= n {
			return true
		}
	}
	return false
}
