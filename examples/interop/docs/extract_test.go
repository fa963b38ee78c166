package docs_test

import (
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the root of the repository.
const root = "../../.."

// A sample is what a page shows to be pasted: a block of code or commands, or a command or a call
// within a sentence.
type sample struct{ page, text string }

// first returns the first line, which identifies a sample.
func (s sample) first() string {
	line, _, _ := strings.Cut(s.text, "\n")
	return line
}

// pages are those whose samples are run. The Go files are read for their comments.
func pages(t *testing.T) []string {
	t.Helper()
	pages := []string{
		"README.md", "CONTRIBUTING.md", "SECURITY.md", "middleware/OPERATIONS.md",
		"examples/interop/express/README.md", "examples/interop/compare/main.go",
		"examples/interop/drain/main.go",
		"examples/proxies/nginx/nginx.conf", "examples/proxies/haproxy/haproxy.cfg",
		"examples/proxies/apache/wsecho.conf", "examples/proxies/caddy/Caddyfile",
	}
	for _, pattern := range []string{"middleware/*.go", "adapters/*/*.go", "adapters/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if page, _ := filepath.Rel(root, file); !strings.HasSuffix(page, "_test.go") {
				pages = append(pages, filepath.ToSlash(page))
			}
		}
	}
	return pages
}

// read returns the text of a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// samples returns those of a page.
func samples(t *testing.T, page string) []sample {
	t.Helper()
	text := read(t, page)
	switch filepath.Ext(page) {
	case ".md":
		return markdownSamples(page, text)
	case ".go":
		return commentSamples(t, page, text)
	}
	return spanSamples(page, text)
}

// stackHeader is the header of the README's table of stacks.
const stackHeader = "| stack | in front, or as its middleware | as a route |\n"

// markdownSamples returns the fenced and the indented blocks, and what sentences have. The table
// of stacks is left to TestStacks.
func markdownSamples(page, text string) []sample {
	var found []sample
	var prose, block []string
	fenced, stacks, blank := false, false, true
	end := func() {
		if block != nil {
			found = append(found, sample{page, strings.Join(block, "\n") + "\n"})
		}
		block = nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		code, indented := strings.CutPrefix(line, "    ")
		switch {
		case strings.HasPrefix(line, "```"):
			end()
			fenced = !fenced
		case fenced:
			block = append(block, line)
		case indented && (blank || block != nil):
			block = append(block, code)
		default:
			end()
			stacks = strings.HasPrefix(line, "|") && (stacks || line+"\n" == stackHeader)
			if !stacks {
				prose = append(prose, line)
			}
		}
		blank = line == ""
	}
	end()
	return append(found, spanSamples(page, strings.Join(prose, "\n"))...)
}

var (
	span    = regexp.MustCompile("(?s)`([^`]+)`")
	command = regexp.MustCompile(`^(\$ |\./|\.ci/|go (-C|[a-z]+) |` +
		`(gofmt|git|npm|npx|node|curl|docker|nginx|haproxy|caddy|a2enmod|apache2ctl|ulimit|systemctl|kill|sh|bash) )`)
)

// spanSamples returns the commands and the calls that the text has between backquotes.
func spanSamples(page, text string) []sample {
	var found []sample
	for _, match := range span.FindAllStringSubmatch(text, -1) {
		code := strings.Join(strings.Fields(match[1]), " ")
		expr, err := parser.ParseExpr(code)
		_, call := expr.(*ast.CallExpr)
		if command.MatchString(code+" ") || err == nil && call {
			found = append(found, sample{page, code})
		}
	}
	return found
}

// commentSamples returns the code blocks of the comments.
func commentSamples(t *testing.T, page, text string) []sample {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), page, text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var found []sample
	for _, group := range file.Comments {
		var p comment.Parser
		for _, block := range p.Parse(group.Text()).Content {
			if code, ok := block.(*comment.Code); ok {
				found = append(found, sample{page, code.Text})
			}
		}
	}
	return found
}

// find returns the sample of the page that begins with the line, as it is printed.
func find(t *testing.T, page, first string) string {
	t.Helper()
	for _, s := range samples(t, page) {
		if s.first() == first {
			return s.text
		}
	}
	t.Fatalf("%s does not show %q", page, first)
	return ""
}

func TestMarkdownSamples(t *testing.T) {
	const page = "# A\n\nSee `go vet ./...`, `f(x)`, `x`,\n`go\nrun .` and `a b`.\n\n" +
		"    one\n      two\n\n```go\nthree\n\n    four\n```\n- item\n    no block\n"
	want := []string{"one\n  two\n", "three\n\n    four\n", "go vet ./...", "f(x)", "go run ."}
	got := markdownSamples("p", page)
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range got {
		if got[i] != (sample{"p", want[i]}) {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
}
