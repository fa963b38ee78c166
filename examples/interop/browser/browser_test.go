package browser_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/program"
)

// A browser runs until the end of its test, and shows one page. Every method is bounded by
// program.Patience.
type browser interface {
	// resize lays the page out for a screen of this width and height, in CSS pixels.
	resize(width, height int) error
	// navigate opens the URL and waits until the page is loaded.
	navigate(url string) error
	// evaluate returns the value of the JavaScript expression: a string, or a promise of one.
	evaluate(expression string) (string, error)
	// press clicks, or taps if the screen is a touch screen, at this point of the viewport.
	press(x, y float64) error
	key(k key, shift bool) error
	// choose gives a file to the input element.
	choose(selector, file string) error
	screenshot() ([]byte, error)
}

type key int

const (
	tab key = iota
	enter
	space
)

// A startFunc starts a browser, with a touch screen or with a mouse. report is called with what its
// developer tools show as errors.
type startFunc func(t *testing.T, touch bool, report func(problem string)) browser

// inEachBrowser runs the test once for each browser.
func inEachBrowser(t *testing.T, test func(t *testing.T, start startFunc)) {
	for name, start := range map[string]startFunc{
		"Chromium": startChromium,
		"Firefox":  startFirefox,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start)
		})
	}
}

// wantEnd waits for the end of all processes of a browser, of which home is the home directory:
// some outlive the first one and write to its files, which the test then removes.
func wantEnd(t *testing.T, home string) {
	t.Helper()
	var left []int
	for deadline := time.Now().Add(program.Patience); time.Now().Before(deadline); runtime.Gosched() {
		if left = processesOf(home); len(left) == 0 {
			return
		}
	}
	t.Errorf("processes %v of the browser are still running", left)
	for _, pid := range left {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// processesOf returns the processes whose environment has the directory.
func processesOf(home string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		environment, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(environment, []byte("HOME="+home+"\x00")) {
			continue // The process may have ended.
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
