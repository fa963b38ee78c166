package browser_test

import (
	"strconv"
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

// On a phone, what Send does is on the screen, and hints at a mouse or a keyboard are not.
func TestPhoneShowsReply(t *testing.T) { inEachBrowser(t, testPhoneShowsReply) }

func testPhoneShowsReply(t *testing.T, start startFunc) {
	p := openPageOnPhone(t, start, program.StartApp(t).Web)
	p.wantText("#state", "Connected")
	if y := p.get(top("#log") + " < innerHeight"); y != "true" {
		t.Errorf("the log begins at y = %s, below the screen", p.get(top("#log")))
	}
	for i := range 8 {
		p.press("#send")
		p.wantText("#received", strconv.Itoa(i+1))
		p.want(bottom("#log li:last-child")+" <= innerHeight", "true")
	}
	p.want(top("#send")+" > 0", "true")
	p.want(hints, "none none")

	p.enter("#text", "one")
	p.key(enter)
	p.want(element("#text")+".value", "one\n")
	p.wantText("#received", "8")

	p.sendFile(strings.Repeat("x", 20))
	p.wantText("#log .in:last-child pre", ""+
		"0000  48 65 6c 6c 6f 20 66 72  Hello fr\n"+
		"0008  6f 6d 20 74 68 65 20 73  om the s\n"+
		"0010  65 72 76 65 72 21 20 59  erver! Y\n"+
		"0018  6f 75 20 73 65 6e 74 3a  ou sent:\n"+
		"0020  20 78 78 78 78 78 78 78   xxxxxxx\n"+
		"0028  78 78 78 78 78 78 78 78  xxxxxxxx\n"+
		"0030  78 78 78 78 78           xxxxx")
	p.press("#log li:last-child summary")
	p.want(`(e => e.clientWidth > 0 && e.scrollWidth <= e.clientWidth)(`+
		element("#log li:last-child pre")+`)`, "true")
}

// hints evaluates to how the hints at a mouse and a keyboard are displayed.
const hints = `Array.from(document.querySelectorAll(".desktop"),
	e => getComputedStyle(e).display).join(" ")`

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

// top and bottom return an expression for the element's upper or lower edge.
func top(selector string) string {
	return element(selector) + ".getBoundingClientRect().top"
}

func bottom(selector string) string {
	return element(selector) + ".getBoundingClientRect().bottom"
}
