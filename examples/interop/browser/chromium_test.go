package browser_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/program"
	"github.com/chromedp/chromedp"
)

// startPatience is longer than other waits, because the first start reads the browser from disk.
const startPatience = 3 * program.Patience

// startChromium returns the context of the first tab, whose events listen gets from its start on.
// At the end of the test, nothing is left of the browser.
func startChromium(t *testing.T, listen func(event any)) context.Context {
	t.Helper()
	path := program.Find(t, "chromium", "chromium")
	home := t.TempDir()
	options := append(quiet(),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(filepath.Join(home, "profile")),
		chromedp.Env("HOME="+home, "XDG_CONFIG_HOME=", "XDG_CACHE_HOME="),
		chromedp.IgnoreCertErrors, // The app's -tls makes a certificate that nobody knows.
	)
	// A test's own context ends before its cleanups, in which the page is still needed.
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	tab, cancelTab := chromedp.NewContext(allocator, chromedp.WithListener(listen))
	t.Cleanup(func() { stopChromium(t, tab, home) })

	// The browser lives as long as the context that it is started with, so that has no timeout.
	limit := time.AfterFunc(startPatience, cancelTab)
	defer limit.Stop()
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return tab
}

// quiet returns the options for a browser that talks to nobody but to the servers of the tests.
// Whatever the others say, it asks its maker's servers for this and that: the last one has it find
// none of them.
func quiet() []chromedp.ExecAllocatorOption {
	return slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	})
}

// stopChromium closes the browser and waits for its processes, some of which outlive the first one
// for a moment and would write to its files while they are removed.
func stopChromium(t *testing.T, tab context.Context, home string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab, program.Patience)
	defer cancel()
	if err := chromedp.Cancel(ctx); err != nil {
		t.Errorf("closing Chromium: %v", err)
	}
	var left []int
	for deadline := time.Now().Add(program.Patience); time.Now().Before(deadline); runtime.Gosched() {
		if left = processesOf(home); len(left) == 0 {
			return
		}
	}
	t.Errorf("processes %v of Chromium have outlived it", left)
	for _, pid := range left {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// processesOf returns those that have the directory on their command line.
func processesOf(home string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(line, []byte(home)) {
			continue // One that is gone cannot be read.
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
