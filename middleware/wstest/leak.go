package wstest

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

const leakTimeout = 10 * time.Second

// Main runs the tests of a package and fails if goroutines outlive them. It is all that TestMain
// calls:
//
//	func TestMain(m *testing.M) { wstest.Main(m) }
func Main(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	// The fuzzer's coordinator keeps a goroutine of its own.
	fuzzing := flag.Lookup("test.fuzz").Value.String() != ""
	if code == 0 && !fuzzing && !goroutinesEnd(before, leakTimeout) {
		fmt.Fprintln(os.Stderr, "the tests leaked goroutines:")
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
}

// goroutinesEnd reports whether the number of goroutines falls to n before the timeout. Nothing tells
// when one ends.
func goroutinesEnd(n int, timeout time.Duration) bool {
	http.DefaultClient.CloseIdleConnections()
	for deadline := time.Now().Add(timeout); runtime.NumGoroutine() > n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
