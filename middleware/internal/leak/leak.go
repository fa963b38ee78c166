// Package leak fails the tests of a package that leave goroutines behind.
package leak

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

const patience = 10 * time.Second

// Main runs the tests, as TestMain, and fails if there are more goroutines afterwards.
func Main(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	// The fuzzer's coordinator keeps a goroutine of its own.
	fuzzing := flag.Lookup("test.fuzz").Value.String() != ""
	if code == 0 && !fuzzing && !goroutinesReturn(before) {
		fmt.Fprintln(os.Stderr, "goroutines have outlived the tests:")
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
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
