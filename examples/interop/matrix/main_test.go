// Package matrix_test tests wsecho in common frameworks and behind common wrappers: every framework
// with every wrapper, and with the middleware in every possible place. grid, in grid_test.go, has
// the outcomes; the examples have the lines to copy.
package matrix_test

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/leak"
	"example.com/wsecho/middleware"
	"github.com/gin-gonic/gin"
)

// timeout bounds every wait.
const timeout = 10 * time.Second

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode) // prints nothing
	os.Exit(leak.Run(m))
}

// echo returns the middleware under test, which logs nothing.
func echo(opts middleware.Options) *middleware.Middleware {
	opts.Logger = slog.New(slog.DiscardHandler)
	return middleware.New(opts)
}
