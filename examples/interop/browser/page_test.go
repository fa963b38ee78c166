package browser_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/program"
)

// page is a web page in a separate browser.
type page struct {
	t        *testing.T
	browser  browser
	problems chan string
	expected []string // are in problems that do not fail the test
	finished bool
}

// openPage opens the URL on a desktop screen.
func openPage(t *testing.T, start startFunc, url string) *page {
	t.Helper()
	return newPage(t, start, false, 1280, 900, url)
}

// openPageOnPhone opens the URL on a small touch screen with two device pixels per CSS pixel.
func openPageOnPhone(t *testing.T, start startFunc, url string) *page {
	t.Helper()
	return newPage(t, start, true, 375, 812, url)
}

func newPage(t *testing.T, start startFunc, touch bool, width, height int, url string) *page {
	t.Helper()
	p := &page{t: t, problems: make(chan string, 100)}
	p.browser = start(t, touch, func(problem string) {
		select {
		case p.problems <- problem:
		default: // The first ones suffice.
		}
	})
	t.Cleanup(p.finish)
	p.check(p.browser.resize(width, height))
	p.check(p.browser.navigate(url))
	return p
}

func (p *page) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// wantProblem waits for a problem that contains this text, and allows others that do.
func (p *page) wantProblem(text string) {
	p.t.Helper()
	p.expected = append(p.expected, text)
	select {
	case got := <-p.problems:
		if !strings.Contains(got, text) {
			p.t.Errorf("problem in the page:\ngot  %s\nwant %s", got, text)
		}
	case <-time.After(program.Patience):
		p.t.Errorf("no problem in the page, want %s", text)
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
	if _, err := p.browser.evaluate(`""`); err != nil {
		p.t.Errorf("the page does not answer: %v", err)
	}
	for len(p.problems) > 0 {
		problem := <-p.problems
		if !slices.ContainsFunc(p.expected, func(s string) bool { return strings.Contains(problem, s) }) {
			p.t.Errorf("in the page: %s", problem)
		}
	}
	if p.t.Failed() {
		p.saveScreenshot(strings.ReplaceAll(p.t.Name(), "/", "-"))
	}
}

func (p *page) saveScreenshot(name string) {
	image, err := p.browser.screenshot()
	if err != nil {
		p.t.Logf("no screenshot: %v", err)
		return
	}
	dir := os.Getenv(screenshots)
	file := filepath.Join(dir, name+".png")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Log(err)
	}
	if err := os.WriteFile(file, image, 0o644); err != nil {
		p.t.Log(err)
		return
	}
	p.t.Logf("screenshot: %s", file)
}

// press scrolls to the element, and clicks or taps in its middle, which nothing may cover.
func (p *page) press(selector string) {
	p.t.Helper()
	p.want(element(selector)+" !== null", "true")
	at := read[struct {
		X, Y float64
		Hit  bool
	}](p, `(e => {
		e.scrollIntoView({ block: "center", behavior: "instant" });
		const box = e.getBoundingClientRect();
		const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
		return { x, y, hit: e.contains(document.elementFromPoint(x, y)) };
	})(`+element(selector)+`)`)
	if !at.Hit {
		p.t.Fatalf("%s is hidden", selector)
	}
	p.check(p.browser.press(at.X, at.Y))
}

// key presses the key, and keyWithShift with Shift held down.
func (p *page) key(k key) {
	p.t.Helper()
	p.check(p.browser.key(k, false))
}

func (p *page) keyWithShift(k key) {
	p.t.Helper()
	p.check(p.browser.key(k, true))
}

// enter moves the focus to the field and replaces its content, as pasting does.
func (p *page) enter(selector, text string) {
	p.t.Helper()
	p.get(element(selector) + ".focus()")
	p.get(element(selector) + ".select()")
	command := "insertText"
	if text == "" {
		command = "delete"
	}
	p.get(fmt.Sprintf("document.execCommand(%q, false, %s)", command, quote(text)))
	p.want(element(selector)+".value", text)
}

// want evaluates the JavaScript expression in every animation frame until it has the value, as a
// string.
func (p *page) want(expression, value string) {
	p.t.Helper()
	got, err := p.browser.evaluate(fmt.Sprintf(`new Promise((resolve) => {
		const end = performance.now() + %d;
		const look = () => {
			const got = String(%s);
			if (got === %s || performance.now() > end) resolve(got);
			else requestAnimationFrame(look);
		};
		look();
	})`, (program.Patience / 2).Milliseconds(), expression, quote(value)))
	if err != nil || got != value {
		p.t.Fatalf("%s (%v)\ngot  %s\nwant %s", expression, err, got, value)
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
	value, err := p.browser.evaluate("String(" + expression + ")")
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
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
