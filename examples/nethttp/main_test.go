package main

import (
	"os"
	"strings"
	"testing"
)

// The README shows this program, without its package comment.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, sample, found := strings.Cut(string(readme), "```go\n")
	sample, _, closed := strings.Cut(sample, "```\n")
	_, program, _ := strings.Cut("\n"+string(source), "\npackage main\n")
	if !found || !closed || sample != "package main\n"+program {
		t.Errorf("the first Go program of the README is not examples/nethttp/main.go:\n%s", sample)
	}
	if lines := strings.Count(sample, "\n"); lines > 20 {
		t.Errorf("the README's sample has %d lines, more than 20", lines)
	}
}
