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

// startTimeout is longer than other timeouts: the first start reads the browser from disk.
const startTimeout = 3 * program.Patience

// startChromium returns the context of the first tab, and calls listen with all of its events. The
// browser ends with the test.
func startChromium(t *testing.T, listen func(event any)) context.Context {
	t.Helper()
	path := program.Find(t, "chromium", "chromium")
	home := t.TempDir()
	options := append(testServersOnly(),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(filepath.Join(home, "profile")),
		chromedp.Env("HOME="+home, "XDG_CONFIG_HOME=", "XDG_CACHE_HOME="),
		chromedp.IgnoreCertErrors, // The app's -tls certificate is self-signed.
	)
	// t.Context ends before the cleanups, which still need the page.
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	tab, cancelTab := chromedp.NewContext(allocator, chromedp.WithListener(listen))
	t.Cleanup(func() { stopChromium(t, tab, home) })

	// The browser ends with the context that starts it, so that context has no deadline.
	limit := time.AfterFunc(startTimeout, cancelTab)
	defer limit.Stop()
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return tab
}

// testServersOnly returns the options for a browser that connects only to the servers of the tests.
// Even with the other options it connects to servers of its vendor, so the last one makes the
// lookup of their names fail.
func testServersOnly() []chromedp.ExecAllocatorOption {
	return slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	})
}

// stopChromium closes the browser and waits for all of its processes: some outlive the first one
// and write to its files, which the test then removes.
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
	t.Errorf("processes %v of Chromium are still running", left)
	for _, pid := range left {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// processesOf returns the processes that have the directory on their command line.
func processesOf(home string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(line, []byte(home)) {
			continue // The process may have ended.
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
