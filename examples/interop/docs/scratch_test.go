package docs_test

import (
	"bytes"
	"context"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience bounds a command, which may have to compile everything.
const patience = 5 * time.Minute

// clone copies the files of the repository, as they are, to a folder wsecho in a new one, which
// it returns.
func clone(t *testing.T) (parent string) {
	t.Helper()
	parent = t.TempDir()
	list := run(t, root, "git ls-files -z --cached --others --exclude-standard")
	for path := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		b, err := os.ReadFile(filepath.Join(root, path))
		if os.IsNotExist(err) { // deleted, but not yet in the index
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(parent, "wsecho", path), string(b))
	}
	return parent
}

// write writes a file, which may be a script, and makes its folders.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// run runs the commands, as pasted into a shell, and returns their standard output.
func run(t *testing.T, dir, commands string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euc", commands)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", commands, err, &stdout, &stderr)
	}
	return stdout.String()
}

// install returns the commands of the README that set up a module, and the one that runs it.
func install(t *testing.T) (setUp, start string) {
	t.Helper()
	block := strings.TrimSpace(find(t, "README.md", "go mod init hello"))
	last := strings.LastIndex(block, "\n")
	return block[:last], block[last+1:]
}

// imported has the packages of the names that samples use.
var imported = map[string]string{
	"context":      "context",
	"errors":       "errors",
	"fmt":          "fmt",
	"io":           "io",
	"http":         "net/http",
	"time":         "time",
	"gin":          "github.com/gin-gonic/gin",
	"middleware":   "example.com/wsecho/middleware",
	"negroni":      "github.com/urfave/negroni/v3",
	"prometheus":   "github.com/prometheus/client_golang/prometheus",
	"wsgin":        "example.com/wsecho/adapters/gin",
	"wsnegroni":    "example.com/wsecho/adapters/negroni",
	"wsprometheus": "example.com/wsecho/adapters/prometheus",
}

// goFile returns a file of package main with the declaration and the imports that it needs.
func goFile(t *testing.T, declaration string, imported map[string]string) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", "package main\n"+declaration, 0)
	if err != nil {
		t.Fatalf("%v:\n%s", err, declaration)
	}
	used := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		// Obj is that of a variable with the same name.
		if id, ok := selector.X.(*ast.Ident); ok && id.Obj == nil && imported[id.Name] != "" {
			used[id.Name] = true
		}
		return true
	})
	text := "package main\n"
	for name := range used {
		text += "import " + name + " " + strconv.Quote(imported[name]) + "\n"
	}
	b, err := format.Source([]byte(text + declaration + "\n"))
	if err != nil {
		t.Fatalf("%v:\n%s", err, declaration)
	}
	return string(b)
}
