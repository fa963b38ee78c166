// Package program finds, installs and runs the programs that tests use.
package program

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Patience bounds every wait, except for npm, which may have to download packages.
const (
	Patience       = 20 * time.Second
	installTimeout = 2 * time.Minute
)

// Find returns the path of a program of the Debian package: in PATH, or in /usr/sbin, which the
// PATH of users lacks. If it is missing, the test fails in CI and is skipped elsewhere.
func Find(t testing.TB, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) {
		if sbin, inSbin := exec.LookPath(filepath.Join("/usr/sbin", name)); inSbin == nil {
			return sbin
		}
	}
	switch {
	case errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") == "":
		t.Skipf("%s is not installed: apt-get install %s", name, debianPackage)
	case err != nil:
		t.Fatalf("%v: apt-get install %s", err, debianPackage)
	}
	return path
}

// NPMInstall copies the folder, installs the packages in its package-lock.json into the copy, and
// returns the copy.
func NPMInstall(t testing.TB, from string) (dir string) {
	t.Helper()
	npm := Find(t, "npm", "npm")
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), installTimeout)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "ci", "--prefer-offline", "--ignore-scripts")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return dir
}

// Process is a running program.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd
	stdout chan string   // its lines, of which too many unread ones are dropped; closed at the end
	ended  chan struct{} // closed once status is known
	status error
}

// Start starts the command and kills it at the end of the test. Its standard error goes to the log
// of the test, unless it is redirected. Wait checks the exit status.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if cmd.Stderr == nil {
		cmd.Stderr = t.Output()
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &Process{t: t, cmd: cmd, stdout: make(chan string, 1<<16), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			select {
			case p.stdout <- lines.Text():
			default: // Nobody reads. Waiting would keep the process from ending.
			}
		}
		close(p.stdout)
		p.status = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.ended
	})
	return p
}

// StartDaemon is Start for a program with children of its own, which it ends when it gets SIGTERM.
func StartDaemon(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := Start(t, cmd)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(Patience):
			t.Errorf("%s did not end within %v", filepath.Base(p.cmd.Path), Patience)
		}
	})
	return p
}

// Line returns the next line of standard output, or ok == false at its end.
func (p *Process) Line() (line string, ok bool) {
	p.t.Helper()
	select {
	case line, ok = <-p.stdout:
		return line, ok
	case <-time.After(Patience):
		p.t.Fatalf("%s printed nothing for %v", filepath.Base(p.cmd.Path), Patience)
		return "", false
	}
}

// Terminate sends SIGTERM.
func (p *Process) Terminate() {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
}

// Signal sends a signal.
func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Error(err)
	}
}

// Ended returns a channel that is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Wait waits for the process to end, which must be with status 0.
func (p *Process) Wait() {
	p.t.Helper()
	select {
	case <-p.ended:
		if p.status != nil {
			p.t.Errorf("%s: %v", filepath.Base(p.cmd.Path), p.status)
		}
	case <-time.After(Patience):
		p.t.Fatalf("%s did not end within %v", filepath.Base(p.cmd.Path), Patience)
	}
}

// App is a running examples/app.
type App struct {
	*Process
	Web string // the page's URL, ending in a slash
	WS  string // the endpoint's
}

// StartApp builds and runs examples/app, on 127.0.0.1 unless args have another -addr.
func StartApp(t testing.TB, args ...string) *App {
	t.Helper()
	return StartAppWith(t, nil, args...)
}

// StartAppWith is StartApp with further variables in the environment.
func StartAppWith(t testing.TB, env []string, args ...string) *App {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app")
	build := exec.CommandContext(t.Context(),
		"go", "build", "-buildvcs=false", "-o", path, "example.com/wsecho/examples/app")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	args = append([]string{"-addr", "127.0.0.1:0"}, args...)
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), env...)
	a := &App{Process: Start(t, cmd)}
	line, _ := a.Line()
	web, rest, ok := strings.Cut(line, " (WebSocket endpoint ")
	ws, _, closed := strings.Cut(rest, ")")
	if !ok || !closed {
		t.Fatalf("the app printed %q", line)
	}
	a.Web, a.WS = strings.TrimPrefix(web, "Listening on "), ws
	return a
}
