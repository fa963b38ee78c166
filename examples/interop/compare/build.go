//go:build linux

package main

import (
	"context"
	"debug/buildinfo"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"example.com/wsecho/examples/interop/compare/internal/report"
	"example.com/wsecho/middleware"
)

// npmFiles is the server of the npm package ws, with the lock file that pins its version.
//
//go:embed all:npm
var npmFiles embed.FS

// buildApp builds wsecho's example application in dir and returns its path and the revision it
// was built from.
func buildApp(ctx context.Context, dir string) (path, revision string, err error) {
	root, err := command(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}", "example.com/wsecho")
	if err != nil {
		return "", "", err
	}
	path = filepath.Join(dir, "app")
	for _, vcs := range []string{"-buildvcs=true", "-buildvcs=false"} {
		// Git fails if there is no repository, or if another user owns it.
		if _, err = command(ctx, root, "go", "build", vcs, "-o", path, "./examples/app"); err == nil {
			break
		}
	}
	if err != nil {
		return "", "", err
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	return path, revisionOf(info), nil
}

// revisionOf returns the abbreviated revision in the build information, or "".
func revisionOf(info *buildinfo.BuildInfo) string {
	var revision, dirty string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(7, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + dirty
}

// installNPM installs the npm package ws in dir.
func installNPM(ctx context.Context, dir string) (server, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return server{}, err
	}
	files, err := fs.Sub(npmFiles, "npm")
	if err != nil {
		return server{}, err
	}
	dir = filepath.Join(dir, "npm")
	if err := os.CopyFS(dir, files); err != nil {
		return server{}, err
	}
	if _, err := command(ctx, dir, "npm", "ci", "--prefer-offline", "--ignore-scripts"); err != nil {
		return server{}, err
	}
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	text, err := fs.ReadFile(files, "package-lock.json")
	if err == nil {
		err = json.Unmarshal(text, &lock)
	}
	if err != nil {
		return server{}, err
	}
	version, err := command(ctx, dir, node, "--version")
	row := report.Row{Name: npm}
	row.Title = fmt.Sprintf("npm ws %s (Node %s)", lock.Packages["node_modules/ws"].Version, version)
	run := []string{node, filepath.Join(dir, "server.js"), middleware.Greeting}
	return server{row: row, command: run}, err
}

// command runs a program and returns what it prints.
func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stderr = dir, &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}
