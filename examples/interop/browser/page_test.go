package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/program"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// page is a web page in a separate browser.
type page struct {
	t        *testing.T
	ctx      context.Context
	touch    bool
	problems chan string
	finished bool
}

// openPage opens the URL on a desktop screen.
func openPage(t *testing.T, url string) *page {
	t.Helper()
	p := newPage(t)
	p.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(url))
	return p
}

// openPageOnPhone opens the URL on a small screen with two device pixels per CSS pixel.
func openPageOnPhone(t *testing.T, url string) *page {
	t.Helper()
	p := newPage(t)
	p.touch = true
	p.do(
		chromedp.EmulateViewport(375, 812, chromedp.EmulatePortrait, chromedp.EmulateMobile,
			chromedp.EmulateTouch, chromedp.EmulateScale(2)),
		chromedp.Navigate(url),
	)
	return p
}

func newPage(t *testing.T) *page {
	t.Helper()
	p := &page{t: t, problems: make(chan string, 100)}
	p.ctx = startChromium(t, p.listen)
	t.Cleanup(p.finish)
	return p
}

// listen records what the developer tools show as errors. Errors of a worker come as log entries.
func (p *page) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.problem("%v", &chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails})
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			arguments, _ := json.Marshal(e.Args)
			p.problem("console.error: %s", arguments)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			p.problem("%s: %s", e.Entry.Source, e.Entry.Text)
		}
	case *network.EventLoadingFailed:
		p.problem("a request for a %s failed: %s", e.Type, e.ErrorText)
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			p.problem("%s: status %d", e.Response.URL, e.Response.Status)
		}
	}
}

func (p *page) problem(format string, details ...any) {
	select {
	case p.problems <- fmt.Sprintf(format, details...):
	default: // The first ones suffice.
	}
}

// wantProblem waits for the next problem, which must be this one.
func (p *page) wantProblem(want string) {
	p.t.Helper()
	select {
	case got := <-p.problems:
		if got != want {
			p.t.Errorf("problem in the page:\ngot  %s\nwant %s", got, want)
		}
	case <-time.After(program.Patience):
		p.t.Errorf("no problem in the page, want %s", want)
	}
}

// finish reports problems, and takes a screenshot if the test has failed. A test that starts a
// server after the page registers it again, so that it runs before that server ends.
func (p *page) finish() {
	if p.finished {
		return
	}
	p.finished = true
	// Once the page answers, all earlier problems have been received.
	if _, err := evaluate[bool](p, "true"); err != nil {
		p.t.Errorf("the page does not answer: %v", err)
	}
	for len(p.problems) > 0 {
		p.t.Errorf("in the page: %s", <-p.problems)
	}
	if p.t.Failed() {
		p.takeScreenshot()
	}
}

func (p *page) takeScreenshot() {
	ctx, cancel := context.WithTimeout(p.ctx, program.Patience)
	defer cancel()
	image, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Logf("no screenshot: %v", err)
		return
	}
	dir := os.Getenv(screenshots)
	file := filepath.Join(dir, strings.ReplaceAll(p.t.Name(), "/", "-")+".png")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Log(err)
	}
	if err := os.WriteFile(file, image, 0o644); err != nil {
		p.t.Log(err)
		return
	}
	p.t.Logf("screenshot: %s", file)
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, program.Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// press clicks or taps the element.
func (p *page) press(selector string) {
	p.t.Helper()
	if p.touch {
		p.do(chromedp.Tap(chromedp.CSS(selector), chromedp.NodeVisible))
		return
	}
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// enter replaces the content of the field, as pasting does.
func (p *page) enter(selector, text string) {
	p.t.Helper()
	p.do(chromedp.Focus(chromedp.CSS(selector)))
	p.get(element(selector) + ".select()")
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// want evaluates the JavaScript expression in every animation frame until it has the value, as a
// string.
func (p *page) want(expression, value string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, program.Patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](
		fmt.Sprintf("String(%s) === %s", expression, quote(value)),
		chromedp.WithPollingTimeout(0),
	))
	if err != nil {
		p.t.Fatalf("%s (%v)\ngot  %s\nwant %s", expression, err, p.get(expression), value)
	}
}

// wantText waits until the element holds the text.
func (p *page) wantText(selector, text string) {
	p.t.Helper()
	p.want(element(selector)+"?.textContent", text)
}

// get returns the expression's value as a string.
func (p *page) get(expression string) string {
	p.t.Helper()
	value, err := evaluate[string](p, "String("+expression+")")
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

func evaluate[T any](p *page, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, program.Patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression))
}

func element(selector string) string {
	return "document.querySelector(" + quote(selector) + ")"
}

// quote returns s as a JavaScript string literal.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // Strings can be marshaled.
	}
	return string(b)
}
