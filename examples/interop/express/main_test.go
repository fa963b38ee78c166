// Package express_test compares wsecho with what it replaces: an Express application with the npm
// package ws, which is in testdata.
package express_test

import (
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/leak"
	"example.com/wsecho/examples/interop/internal/program"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

// server is one of the two servers, running.
type server struct {
	*program.Process
	address string // host:port
}

// startExpress runs the application that is installed in dir.
func startExpress(t *testing.T, dir string, stderr io.Writer) *server {
	t.Helper()
	cmd := exec.Command(program.Find(t, "node", "nodejs"), filepath.Join("bin", "www"))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PORT=0")
	cmd.Stderr = stderr
	p := program.Start(t, cmd)
	line, _ := p.Line()
	port, ok := strings.CutPrefix(line, "Listening on port ")
	if !ok {
		t.Fatalf("the Express application printed %q", line)
	}
	return &server{p, "127.0.0.1:" + port}
}

// startApp runs examples/app.
func startApp(t *testing.T) *server {
	t.Helper()
	app := program.StartApp(t)
	u, err := url.Parse(app.Web)
	if err != nil {
		t.Fatal(err)
	}
	return &server{app.Process, u.Host}
}

// The subtests share one installation and one process of each server.
func TestExpress(t *testing.T) {
	dir := program.NPMInstall(t, "testdata")
	express, app := startExpress(t, dir, t.Output()), startApp(t)
	t.Run("transcript", func(t *testing.T) {
		t.Run("express", func(t *testing.T) { testTranscript(t, dir, express) })
		t.Run("wsecho", func(t *testing.T) { testTranscript(t, dir, app) })
	})
	t.Run("handshakes", func(t *testing.T) { testHandshakes(t, express, app) })
	t.Run("messages", func(t *testing.T) { testMessages(t, express, app) })
	t.Run("violations", func(t *testing.T) { testViolations(t, dir, app) })
	t.Run("termination", func(t *testing.T) { testTermination(t, express, app) })
}
