package docs_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A renamed clone compiles, is formatted and tidy, and passes the contract.
func TestRename(t *testing.T) {
	dir := filepath.Join(clone(t), "wsecho")
	run(t, dir, "git init -q && git add -A")
	run(t, dir, find(t, "CONTRIBUTING.md", "git grep -lF example.com/wsecho |"+
		" xargs perl -pi -e 's|\\Qexample.com/wsecho|github.com/you/wsecho|g'"))
	if left := run(t, dir, "git grep -F example.com/wsecho || true"); left != "" {
		t.Errorf("not renamed:\n%s", left)
	}
	run(t, dir, "go vet ./... && go test -count=1 . ./examples/nethttp ./adapters/negroni")
	for _, module := range []string{".", "adapters/gin", "adapters/prometheus", "examples/interop"} {
		run(t, filepath.Join(dir, module), "go mod tidy -diff && go vet ./...")
	}
	if got := run(t, dir, "go list -m && gofmt -l ."); got != "github.com/you/wsecho\n" {
		t.Errorf("got %q", got)
	}
}

// It compiles for the platforms in the README.
func TestPlatforms(t *testing.T) {
	text := strings.Join(strings.Fields(read(t, "README.md")), " ")
	if !strings.Contains(text, "It is tested on Linux, and compiles for macOS, FreeBSD and Windows.") {
		t.Error("the README does not name these platforms")
	}
	for _, platform := range []string{"darwin", "freebsd", "windows"} {
		run(t, root, "GOOS="+platform+" go build ./...")
	}
}

// printed returns the command, which the page has.
func printed(t *testing.T, page, command string) string {
	t.Helper()
	for _, s := range samples(t, page) {
		for _, key := range keys(s) {
			if key == command {
				return command
			}
		}
	}
	t.Fatalf("%s does not show %q", page, command)
	return ""
}

// The comparison runs as printed. With the flags here it is too short to compare anything.
func TestCompare(t *testing.T) {
	const short = " -libs wsecho -quick -rounds 1 -time 20ms -warmup 10ms -idle 100"
	for page, command := range map[string]string{
		"README.md":                        "go -C examples/interop run ./compare -libs wsecho -rounds 3",
		"examples/interop/compare/main.go": "go -C examples/interop run ./compare -quick",
	} {
		got := run(t, root, printed(t, page, command)+short)
		if !strings.Contains(got, "| **wsecho") {
			t.Errorf("%s: got\n%s", command, got)
		}
	}
}

// The chart is written to where the README shows it.
func TestChart(t *testing.T) {
	for _, page := range []string{"README.md", "examples/interop/compare/main.go"} {
		const dir, file = "examples/interop", "compare/compare.svg"
		printed(t, page, "go -C "+dir+" run ./compare -svg "+file)
		if !strings.Contains(read(t, "README.md"), "]("+dir+"/"+file+")") {
			t.Errorf("the README does not show %s/%s", dir, file)
		}
	}
}

// The benchmark has the three servers that the README compares. One execution measures nothing.
func TestBenchmark(t *testing.T) {
	got := run(t, root, printed(t, "README.md", "go test -bench Echo ./middleware")+
		" -run '^$' -benchtime 1x")
	for _, load := range []string{"128B_64_in_flight", "16KiB_16_in_flight"} {
		for _, server := range []string{"wsecho", "not_batched", "gorilla"} {
			if !strings.Contains(got, "\nBenchmarkEcho/"+load+"/"+server) {
				t.Errorf("got\n%s\nwant %s of %s", got, load, server)
			}
		}
	}
}

// These take seconds, and run as printed.
func TestShort(t *testing.T) {
	for _, test := range []struct{ page, command, want string }{
		{"README.md", "go doc -all ./middleware", `(?m)^func New\(opts Options\) \*Middleware$`},
		{"CONTRIBUTING.md", "go test -run '^$' -fuzz '^FuzzGuard$' -fuzztime 10000x ./middleware/internal/frame", `(?m)^ok `},
		{"CONTRIBUTING.md", "go test -run '^$' -bench PassThrough ./middleware", `(?m)^BenchmarkPassThrough/`},
		{"middleware/OPERATIONS.md", "go -C examples/interop run ./drain -svg drain/drain.svg", `(?m)^neither: at most 1073 handshakes a second`},
		{"examples/interop/drain/main.go", "go -C examples/interop run ./drain -svg drain/drain.svg", `(?m)^DrainSpread 1m: at most 101 `},
		{"middleware/OPERATIONS.md", "ulimit -n", `^(\d+|unlimited)\n$`},
	} {
		got := run(t, root, printed(t, test.page, test.command))
		if !regexp.MustCompile(test.want).MatchString(got) {
			t.Errorf("%s: got\n%s", test.command, got)
		}
	}
}
