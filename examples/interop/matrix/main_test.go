// Package matrix_test tries wsecho in the frameworks and behind the wrappers that Go servers are
// made of: every framework with every wrapper, with the middleware in every place it can have.
// grid, in grid_test.go, is what comes of it; the examples are the lines to copy.
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

// patience bounds every wait for something that is going to happen.
const patience = 10 * time.Second

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode) // prints nothing
	os.Exit(leak.Run(m))
}

// echo returns the middleware under test, which logs nothing.
func echo(opts middleware.Options) *middleware.Middleware {
	opts.Logger = slog.New(slog.DiscardHandler)
	return middleware.New(opts)
}
