//go:build linux

package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"example.com/wsecho/examples/interop/compare/internal/echo"
	"example.com/wsecho/examples/interop/compare/internal/load"
	"example.com/wsecho/examples/interop/compare/internal/report"
)

const (
	ours     = "wsecho"
	baseline = "gorilla"
	npm      = "npm ws"
	npmFlag  = "npm"
	deflate  = "-deflate" // suffix of the servers in the table for permessage-deflate
)

// A server is the command that starts a server, and its row in the result.
type server struct {
	row     report.Row // without figures
	command []string
	debug   bool // prints an HTTP address too, which serves expvar

	// debugArgs make it do so for handshakes only, because that costs memory and time.
	debugArgs []string
}

// debugging returns the server as it is measured for handshakes.
func (s server) debugging() server {
	if s.debugArgs != nil {
		s.command, s.debug = slices.Concat(s.command, s.debugArgs), true
	}
	return s
}

// lineup has the servers to compare, in the order of the result.
type lineup struct {
	plain, deflate []server
}

// names returns the valid names for -libs.
func names() []string {
	all := []string{ours}
	for _, s := range echo.Servers() {
		if !strings.HasSuffix(s.Name, deflate) {
			all = append(all, s.Name)
		}
	}
	return append(all, npmFlag)
}

// lineUp prepares the wanted servers, with their files in dir.
func lineUp(ctx context.Context, cfg config, dir string, progress *log.Logger) (lineup, error) {
	var l lineup
	wanted := func(name string) bool {
		return cfg.libs == nil || name == baseline || slices.Contains(cfg.libs, name)
	}
	if available := load.RaiseConns(cfg.idle); available < cfg.idle {
		return l, fmt.Errorf("-idle: the limit of open files allows %d", available)
	}
	if wanted(ours) {
		progress.Print("building wsecho")
		app, revision, err := buildApp(ctx, dir)
		if err != nil {
			return l, err
		}
		const note = "Batched, with Detach"
		title := strings.TrimSpace(ours+" "+revision) + " (" + note + ")"
		row := report.Row{Name: ours, Title: title, Note: note, Ours: true}
		s := server{
			row: row, command: []string{app, "-quiet", "-addr", "127.0.0.1:0"},
			debugArgs: []string{"-debug-addr", "127.0.0.1:0"},
		}
		l.plain = append(l.plain, s)
		if cfg.compress {
			s.command = append(s.command, "-compress")
			l.deflate = append(l.deflate, s)
		}
	}
	if err := l.addEchoes(wanted, cfg.compress); err != nil {
		return l, err
	}
	if wanted(npmFlag) {
		progress.Print("installing npm ws")
		s, err := installNPM(ctx, dir)
		switch {
		case err == nil:
			l.insert(s)
		case cfg.libs == nil:
			progress.Printf("skipping npm ws: %v", err)
		default:
			return l, err
		}
	}
	return l, nil
}

// insert adds a server before the one without a library, which comes last.
func (l *lineup) insert(s server) {
	i := slices.IndexFunc(l.plain, func(s server) bool { return s.row.Name == "raw" })
	if i < 0 {
		i = len(l.plain)
	}
	l.plain = slices.Insert(l.plain, i, s)
}

// addEchoes adds the servers that this program contains.
func (l *lineup) addEchoes(wanted func(string) bool, compress bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, s := range echo.Servers() {
		name, isDeflate := strings.CutSuffix(s.Name, deflate)
		if !wanted(name) || isDeflate && !compress {
			continue
		}
		added := server{command: []string{self, "serve", s.Name}, debug: true}
		added.row = report.Row{Name: name, Title: title(s), Baseline: name == baseline}
		if s.Module == echo.Wsecho {
			added.row.Note, added.row.Ours = s.Note, true
		}
		if isDeflate {
			l.deflate = append(l.deflate, added)
		} else {
			l.plain = append(l.plain, added)
		}
	}
	return nil
}

// title returns the server's library with the version that is linked into this program.
func title(s echo.Server) string {
	switch s.Module {
	case "":
		return s.Name + " (" + s.Note + ")"
	case echo.Wsecho: // Its version is the revision of the repository.
		return ours + " (" + s.Note + ")"
	}
	t := strings.TrimPrefix(s.Module, "github.com/")
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == s.Module {
				t += " " + m.Version
			}
		}
	}
	if s.Note != "" {
		t += " (" + s.Note + ")"
	}
	return t
}
