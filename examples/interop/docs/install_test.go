//go:build linux

package docs_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

// freePort returns a port of 127.0.0.1 that nobody listened on a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

// startGroup starts a command and kills it at the end, with what it has started.
func startGroup(t *testing.T, dir, command string) *program.Process {
	t.Helper()
	cmd := exec.Command("bash", "-c", command)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := program.Start(t, cmd)
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	return p
}

// The first program of the README, in a new module beside a clone, prints and answers what the
// README says.
func TestInstall(t *testing.T) {
	port := freePort(t)
	local := func(s string) string {
		return strings.ReplaceAll(s, "localhost:3000", "localhost:"+port)
	}
	dir := filepath.Join(clone(t), "hello")
	write(t, filepath.Join(dir, "main.go"), local(find(t, "README.md", "package main")))
	setUp, start := install(t)
	run(t, dir, setUp)
	_, printed, ok := strings.Cut(read(t, "README.md"), "\nIt prints `")
	printed, _, _ = strings.Cut(printed, "`")
	if line, _ := startGroup(t, dir, start).Line(); !ok || line != local(printed) {
		t.Fatalf("printed %q, want %q", line, local(printed))
	}
	transcript := strings.Split(find(t, "README.md", "$ curl http://localhost:3000/"), "$ ")
	for _, part := range transcript[1:] {
		command, dialog, _ := strings.Cut(part, "\n")
		t.Run(command, func(t *testing.T) {
			if strings.HasPrefix(command, "npx ") {
				converse(t, local(command), dialog)
				return
			}
			program.Find(t, "curl", "curl")
			if got := run(t, dir, local(command)); got != dialog {
				t.Errorf("got %q, want %q", got, dialog)
			}
		})
	}
}

// converse runs a command on a terminal, types the lines after ">", and waits for those with "<".
func converse(t *testing.T, command, dialog string) {
	t.Helper()
	script := program.Find(t, "script", "bsdutils")
	cmd := exec.Command(script, "-qec", command, "/dev/null")
	cmd.Dir = program.NPMInstall(t, filepath.Join("testdata", "wscat"))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	lines := program.NewLog()
	cmd.Stdout = lines
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close() // wscat ends.
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	lines.Want(t, "Connected")
	for line := range strings.Lines(dialog) {
		if typed, ok := strings.CutPrefix(line, "> "); ok {
			_, _ = io.WriteString(stdin, typed)
		} else {
			lines.Want(t, strings.TrimSuffix(line, "\n"))
		}
	}
}

// The console starts as the README says, and serves its page.
func TestApp(t *testing.T) {
	command, _, _ := strings.Cut(find(t, "README.md",
		"go run ./examples/app     # an echo console at http://localhost:3000/"), " #")
	port := freePort(t)
	line, _ := startGroup(t, root, command+" -addr localhost:"+port).Line()
	if !strings.HasPrefix(line, "Listening on http://localhost:"+port+"/") {
		t.Fatalf("printed %q", line)
	}
	resp, err := http.Get("http://localhost:" + port + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if page, _ := io.ReadAll(resp.Body); !strings.Contains(string(page), "<title>") {
		t.Errorf("%s: %.200s", resp.Status, page)
	}
}
