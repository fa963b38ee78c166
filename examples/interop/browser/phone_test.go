package browser_test

import (
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

// On a phone, nothing overflows the screen, whatever the page shows.
func TestPhone(t *testing.T) { inEachBrowser(t, testPhone) }

func testPhone(t *testing.T, start startFunc) {
	app := program.StartApp(t)
	p := openPageOnPhone(t, start, app.Web)
	p.wantConnected(app.WS + ", no subprotocol, no extensions")
	p.wantFits()
	p.wantEcho()
	p.wantFits()

	p.enter("#text", strings.Repeat("nospace", 100))
	p.press("#send")
	p.want(lastRow, "in | text | 733 B | Hello from the server! You sent: "+
		strings.Repeat("nospace", 24)[:167])
	p.wantFits()
	p.press("#log li:last-child summary")
	p.want(element("#log li:last-child details")+".open", "true")
	p.wantFits()
	p.want(bottom("#log li:last-child details")+" < 1 + "+bottom("#log"), "true")

	p.press("#connection summary")
	p.enter("#reason", strings.Repeat("x", 123))
	p.press("#connect")
	p.wantText("#outcome strong", "Closed with 1000 Normal Closure")
	p.wantFits()
}

// wantFits wants the page no wider than the screen, with its main elements visible.
func (p *page) wantFits() {
	p.t.Helper()
	if width := p.get("innerWidth"); width != "375" {
		p.t.Errorf("the page has been laid out for a width of %s, want 375", width)
	}
	if width := p.get("document.documentElement.scrollWidth"); width != "375" {
		p.t.Errorf("the page is %s wide, want 375", width)
	}
	for _, selector := range []string{
		"#state", "#path", "#connect", "#text", "#send", "#pick", "#last", "#median", "#plot", "#log",
	} {
		box := read[struct{ Left, Right, Top, Bottom float64 }](p,
			element(selector)+".getBoundingClientRect()")
		visible := p.get(element(selector) + ".checkVisibility({ visibilityProperty: true })")
		empty := box.Left >= box.Right || box.Top >= box.Bottom
		if visible != "true" || empty || box.Left < 0 || box.Right > 375 {
			p.t.Errorf("%s is at %+v, visible: %s", selector, box, visible)
		}
	}
}

// bottom returns an expression for the element's lower edge.
func bottom(selector string) string {
	return element(selector) + ".getBoundingClientRect().bottom"
}
