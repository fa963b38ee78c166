// Package matrix_test tries wsecho in the frameworks and behind the wrappers that Go servers are
// made of: every framework with every wrapper, with the middleware in every place it can have.
// grid, in grid_test.go, is what comes of it; the examples are the lines to copy.
package matrix_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"github.com/gin-gonic/gin"
)

// patience bounds every wait for something that is going to happen.
const patience = 10 * time.Second

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode) // prints nothing
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

// echo returns the middleware under test, which logs nothing.
func echo(opts middleware.Options) *middleware.Middleware {
	opts.Logger = slog.New(slog.DiscardHandler)
	return middleware.New(opts)
}
