// Package examples_test runs the programs, and compares them with what their README says.
package examples_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware/wstest"
)

func TestMain(m *testing.M) { wstest.Main(m) }

const timeout = 10 * time.Second

// programs are those that are there to be copied whole.
var programs = []struct {
	dir    string
	status map[string]int // of a handshake without credentials, for each path
}{
	{"cookie", map[string]int{"/ws": http.StatusUnauthorized}},
	{"token", map[string]int{"/ws": http.StatusUnauthorized}},
	{"json", map[string]int{"/ws": http.StatusSwitchingProtocols}},
	{"push", map[string]int{"/ws": http.StatusSwitchingProtocols}},
	{"endpoints", map[string]int{
		"/echo": http.StatusSwitchingProtocols, "/upper": http.StatusSwitchingProtocols,
	}},
	{"shutdown", map[string]int{"/ws": http.StatusSwitchingProtocols}},
	{"room", map[string]int{"/ws": http.StatusSwitchingProtocols}},
	{"negroni", map[string]int{"/ws": http.StatusSwitchingProtocols}},
}

// A program prints what it serves and what to try, and serves that.
func TestPrograms(t *testing.T) {
	bin := t.TempDir() + "/"
	args := []string{"build", "-buildvcs=false", "-o", bin}
	for _, p := range programs {
		args = append(args, "./"+p.dir)
	}
	if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, p := range programs {
		t.Run(p.dir, func(t *testing.T) {
			addr := freeAddr(t)
			printed := run(t, len(p.status), bin+p.dir, "-addr", addr)
			for path, status := range p.status {
				tried := "npx wscat -c ws://" + addr + path
				if !strings.HasPrefix(printed, "Serving ws://"+addr) || !strings.Contains(printed, tried) {
					t.Errorf("printed %q, want it to contain %q", printed, tried)
				}
				c := wstest.NewClient(t, connect(t, addr))
				if got := c.Handshake(path).StatusCode; got != status {
					t.Errorf("%s: status %d, want %d", path, got, status)
				}
			}
		})
	}
}

// connect connects to a program, once it listens.
func connect(t *testing.T, addr string) net.Conn {
	t.Helper()
	for deadline := time.Now().Add(timeout); ; runtime.Gosched() {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			return conn
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// freeAddr returns an address that was free a moment ago. Where possible, that is not on 127.0.0.1,
// where the tests of other packages take ports meanwhile.
func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		listener, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// run runs the program until the test ends. It returns what it prints until it has named that many
// commands to try.
func run(t *testing.T, commands int, name string, args ...string) (printed string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	first := make(chan string, 1)
	go func() {
		var printed strings.Builder
		for s := bufio.NewScanner(stdout); commands > 0 && s.Scan(); {
			fmt.Fprintln(&printed, s.Text())
			if strings.HasPrefix(s.Text(), "  npx wscat -c ") {
				commands--
			}
		}
		first <- printed.String()
	}()
	select {
	case printed = <-first:
		return printed
	case <-time.After(timeout):
		t.Fatalf("%s printed nothing for %v", name, timeout)
		return ""
	}
}

// Programs are short enough to be read at a glance.
func TestLength(t *testing.T) {
	const limit = 60
	for _, dir := range append(dirs(), "interop/nats", "interop/http3") {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(files) < 2 {
			t.Fatalf("%s: %v, %v; want a program and its test", dir, files, err)
		}
		for _, file := range files {
			if n := strings.Count(read(t, file), "\n"); n >= limit && !strings.HasSuffix(file, "_test.go") {
				t.Errorf("%s has %d lines, want less than %d", file, n, limit)
			}
		}
	}
}

func dirs() (dirs []string) {
	for _, p := range programs {
		dirs = append(dirs, p.dir)
	}
	return dirs
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The README lists every directory, its links lead somewhere, and what it quotes is there.
func TestReadme(t *testing.T) {
	readme := read(t, "README.md")
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		link := fmt.Sprintf("[`%s`](%[1]s/", e.Name())
		listed := strings.Contains(readme, link)
		if e.IsDir() && e.Name() != "interop" && !listed {
			t.Errorf("README.md does not contain %s", link)
		}
	}
	for _, link := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(readme, -1) {
		if _, err := os.Stat(link[1]); err != nil {
			t.Error(err)
		}
	}
	authentication := read(t, "cookie/main.go") + read(t, "cookie/authenticate.go")
	quotes := regexp.MustCompile("(?s)```go\n(.*?)```\n").FindAllStringSubmatch(readme, -1)
	if len(quotes) == 0 {
		t.Error("README.md quotes nothing")
	}
	for _, quote := range quotes {
		if !strings.Contains(authentication, quote[1]) {
			t.Errorf("examples/cookie does not contain\n%s", quote[1])
		}
	}
}
