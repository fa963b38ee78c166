package docs_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The samples that are no programs compile, each within its function, in a module that is set up
// as the README says, and do what the pages say: see testdata/checks.go.
func TestFragments(t *testing.T) {
	parent := clone(t)
	dir := filepath.Join(parent, "hello")
	n := 0
	for _, page := range pages(t) {
		for _, s := range samples(t, page) {
			for _, key := range keys(s) {
				if wrapper := places[page][key]; strings.Contains(wrapper, "FRAGMENT") {
					n++
					path := filepath.Join(dir, fmt.Sprintf("fragment%d.go", n))
					write(t, path, goFile(t, inside(wrapper, s.text), imported))
				}
			}
		}
	}
	write(t, filepath.Join(dir, "main.go"), read(t, "examples/interop/docs/testdata/checks.go"))
	setUp, start := install(t)
	run(t, dir, setUp)
	run(t, dir, "go vet .")
	if got := run(t, dir, start); !strings.HasSuffix(got, "\nok\n") {
		t.Error(got)
	}
}

// inside puts the fragment in its place, without what ends its last line.
func inside(wrapper, fragment string) string {
	fragment = strings.TrimSuffix(fragment, "\n")
	if last := fragment[strings.LastIndex(fragment, "\n")+1:]; strings.Contains(last, " // ") {
		fragment += "\n"
	}
	if strings.Contains(wrapper, `"FRAGMENT"`) {
		return strings.Replace(wrapper, `"FRAGMENT"`, strconv.Quote(fragment), 1)
	}
	return strings.Replace(wrapper, "FRAGMENT", fragment, 1)
}

// A stack is what the snippets of a row of the README's table need besides ws, by the row's label.
type stack struct{ label, variable, importName, importPath string }

var stacks = []stack{
	{"net/http", "mux *http.ServeMux", "", ""},
	{"httprouter", "r *httprouter.Router", "httprouter", "github.com/julienschmidt/httprouter"},
	{"chi", "r *chi.Mux", "chi", "github.com/go-chi/chi/v5"},
	{"alice", "", "alice", "github.com/justinas/alice"},
	{"gorilla/mux", "r *mux.Router", "mux", "github.com/gorilla/mux"},
	{"gin", "r *gin.Engine", "", ""},
	{"echo v4", "e *echo.Echo", "echo", "github.com/labstack/echo/v4"},
	{"echo v5", "e *echo.Echo", "echo", "github.com/labstack/echo/v5"},
	{"negroni v1", "n *negroni.Negroni", "negroni", "github.com/urfave/negroni"},
	{"negroni v3", "n *negroni.Negroni", "negroni", "github.com/urfave/negroni/v3"},
}

// The snippets in the README's table of stacks compile, with the versions that the tests in
// examples/interop/matrix run them with.
func TestStacks(t *testing.T) {
	parent := clone(t)
	dir := filepath.Join(parent, "hello")
	mod := strings.NewReplacer(
		"module example.com/wsecho/examples/interop", "module hello",
		"../../", "../wsecho/", "../..", "../wsecho",
	).Replace(read(t, "examples/interop/go.mod"))
	write(t, filepath.Join(dir, "go.mod"), mod)
	write(t, filepath.Join(dir, "go.sum"), read(t, "examples/interop/go.sum"))
	write(t, filepath.Join(dir, "main.go"), "package main\n\nfunc main() {}\n")
	n := 0
	unused := maps.Collect(slices.All(stacks))
	for label, snippets := range stackRows(t) {
		known := false
		for i, s := range stacks {
			if !s.in(label) {
				continue
			}
			known = true
			delete(unused, i)
			imported := maps.Clone(imported)
			imported[s.importName] = s.importPath
			for _, snippet := range snippets {
				n++
				text := fmt.Sprintf("func row%d(ws *middleware.Middleware, %s) { %s }",
					n, s.variable, snippet)
				write(t, filepath.Join(dir, fmt.Sprintf("row%d.go", n)), goFile(t, text, imported))
			}
		}
		if !known {
			t.Errorf("the stack %q is not in stacks", label)
		}
	}
	run(t, dir, "go vet -mod=mod .")
	for _, s := range unused {
		t.Errorf("the README does not have %s", s.label)
	}
}

// in reports whether the label, as in "echo v4, v5; in front of its Gzip", names the stack.
func (s stack) in(label string) bool {
	name, version, _ := strings.Cut(s.label, " ")
	label, _, _ = strings.Cut(label, "; ")
	words := strings.Split(strings.ReplaceAll(label, ",", ""), " ")
	return words[0] == name && (version == "" || slices.Contains(words, version))
}

// stackRows returns the snippets of each row.
func stackRows(t *testing.T) map[string][]string {
	t.Helper()
	_, rows, _ := strings.Cut(read(t, "README.md"), stackHeader)
	found := map[string][]string{}
	for line := range strings.Lines(rows) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.SplitN(strings.Trim(line, "|\n"), "|", 2)
		for _, match := range span.FindAllStringSubmatch(cells[1], -1) {
			label := strings.Trim(cells[0], " ")
			found[label] = append(found[label], match[1])
		}
	}
	return found
}
