package wsprometheus_test

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// timeout bounds every wait.
const timeout = 10 * time.Second

func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	if code == 0 && !goroutinesEnd(before) {
		fmt.Fprintln(os.Stderr, "the tests leaked goroutines:")
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
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
