// Package http2_test tests WebSockets over HTTP/2 (RFC 8441) with a client that sends and expects
// frames of HTTP/2, over TLS and without.
package http2_test

import (
	"errors"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/leak"
	"example.com/wsecho/middleware"
)

// timeout bounds every wait for something that is going to happen.
const timeout = 10 * time.Second

// godebug makes net/http announce extended CONNECT. It is read when the process begins.
const godebug = "http2xconnect=1"

func TestMain(m *testing.M) {
	if strings.Contains(os.Getenv("GODEBUG"), godebug) {
		os.Exit(leak.Run(m))
	}
	os.Exit(runAgain())
}

// runAgain runs the tests in a process with godebug and returns the exit status.
func runAgain() int {
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), "GODEBUG="+strings.TrimPrefix(os.Getenv("GODEBUG")+","+godebug, ","))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exited *exec.ExitError
	switch {
	case errors.As(err, &exited):
		return exited.ExitCode()
	case err != nil:
		panic(err)
	}
	return 0
}

// echo returns the middleware under test. It logs nothing, and answers with the message alone.
func echo(opts middleware.Options) *middleware.Middleware {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Handler == nil {
		opts.Handler = middleware.Batched(middleware.Echo(""))
	}
	return middleware.New(opts)
}

// serve serves HTTP/2 over TLS.
func serve(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	return serveWith(t, h, func(*http.Server) {})
}

func serveWith(t testing.TB, h http.Handler, configure func(*http.Server)) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(errorLog{t}, "", 0)
	configure(s.Config)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// errorLog fails the test for what net/http logs: a panic, or a use of a ResponseWriter too late.
type errorLog struct{ testing.TB }

func (l errorLog) Write(p []byte) (int, error) {
	l.Errorf("net/http has logged %q", p)
	return len(p), nil
}

// servePlain serves HTTP/2 without TLS.
func servePlain(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(errorLog{t}, "", 0)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// app is what the middleware is added to.
func app() http.Handler { return http.NotFoundHandler() }
