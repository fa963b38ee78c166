package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/program"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// startTimeout is longer than other timeouts: the first start reads the browser from disk.
const startTimeout = 3 * program.Patience

// chromium is driven by the DevTools protocol.
type chromium struct {
	tab   context.Context
	touch bool
}

func startChromium(t *testing.T, touch bool, report func(problem string)) browser {
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
	listener := func(event any) {
		if problem := chromiumProblem(event); problem != "" {
			report(problem)
		}
	}
	tab, cancelTab := chromedp.NewContext(allocator, chromedp.WithListener(listener))
	t.Cleanup(func() { stopChromium(t, tab, home) })

	// The browser ends with the context that starts it, so that context has no deadline.
	limit := time.AfterFunc(startTimeout, cancelTab)
	defer limit.Stop()
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return &chromium{tab, touch}
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

func stopChromium(t *testing.T, tab context.Context, home string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab, program.Patience)
	defer cancel()
	if err := chromedp.Cancel(ctx); err != nil {
		t.Errorf("closing Chromium: %v", err)
	}
	wantEnd(t, home)
}

// chromiumProblem returns what the developer tools show as an error, if the event is one. Errors of
// a worker come as log entries.
func chromiumProblem(event any) string {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		return (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error()
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			arguments, _ := json.Marshal(e.Args)
			return fmt.Sprintf("console.error: %s", arguments)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			return fmt.Sprintf("%s: %s", e.Entry.Source, e.Entry.Text)
		}
	case *network.EventLoadingFailed:
		if e.Canceled {
			return "" // as after the headers of a response to HEAD
		}
		return fmt.Sprintf("a request for a %s failed: %s", e.Type, e.ErrorText)
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			return fmt.Sprintf("%s: status %d", e.Response.URL, e.Response.Status)
		}
	}
	return ""
}

func (c *chromium) do(steps ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(c.tab, program.Patience)
	defer cancel()
	return chromedp.Do(ctx, steps...)
}

func (c *chromium) resize(width, height int) error {
	var options []chromedp.EmulateViewportOption
	if c.touch {
		options = append(options, chromedp.EmulatePortrait, chromedp.EmulateMobile,
			chromedp.EmulateTouch, chromedp.EmulateScale(2))
	}
	return c.do(chromedp.EmulateViewport(int64(width), int64(height), options...))
}

func (c *chromium) navigate(url string) error {
	return c.do(chromedp.Navigate(url))
}

func (c *chromium) evaluate(expression string) (string, error) {
	ctx, cancel := context.WithTimeout(c.tab, program.Patience)
	defer cancel()
	return chromedp.Run(ctx,
		chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
}

func (c *chromium) press(x, y float64) error {
	if c.touch {
		return c.do(chromedp.TapXY(x, y))
	}
	return c.do(chromedp.MouseClickXY(x, y))
}

// key sends each key with its text in one event, as keyboards do: a page that prevents the default
// of the event prevents the text too. chromedp.KeyEvent sends the text in an event of its own.
func (c *chromium) key(k key, shift bool) error {
	event := map[key]input.DispatchKeyEventParams{
		tab:   {Key: "Tab", Code: "Tab", WindowsVirtualKeyCode: 9},
		enter: {Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, Text: "\r"},
		space: {Key: " ", Code: "Space", WindowsVirtualKeyCode: 32, Text: " "},
	}[k]
	if shift {
		event.Modifiers = int64(chromedp.ModifierShift)
	}
	ctx, cancel := context.WithTimeout(c.tab, program.Patience)
	defer cancel()
	down, up := event, event
	down.Type, up.Type, up.Text = input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp, ""
	for _, event := range []input.DispatchKeyEventParams{down, up} {
		if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, event); err != nil {
			return err
		}
	}
	return nil
}

func (c *chromium) choose(selector, file string) error {
	return c.do(chromedp.SetUploadFiles(chromedp.CSS(selector), []string{file}))
}

func (c *chromium) screenshot() ([]byte, error) {
	ctx, cancel := context.WithTimeout(c.tab, program.Patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.FullScreenshot(100))
}
