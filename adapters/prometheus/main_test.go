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

// patience bounds every wait for something that is going to happen.
const patience = 10 * time.Second

func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	if code == 0 && !goroutinesReturn(before) {
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
