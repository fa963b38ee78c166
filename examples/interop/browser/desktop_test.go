package browser_test

import (
	"strconv"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

// focused evaluates to the element that has the focus: its id, or else its name.
const focused = `(e => e.id || e.localName)(document.activeElement)`

// Everything can be reached and used without a mouse, and shows that it has the focus.
func TestKeyboard(t *testing.T) { inEachBrowser(t, testKeyboard) }

func testKeyboard(t *testing.T, start startFunc) {
	app := program.StartApp(t)
	p := openConsole(t, start, app)
	p.want(hints, "inline block")
	for _, want := range []string{
		"path", "subprotocols", "summary", "connect", "text", "binary", "repeat", "interval",
		"send", "pick", "clear", "log", "summary", "a",
	} {
		p.key(tab)
		p.want(focused, want)
		p.want(`document.activeElement.matches(":focus-visible")`, "true")
		p.want(`getComputedStyle(document.activeElement).outlineWidth`, "3px")
	}
	p.keyWithShift(tab)
	p.want(focused, "summary")

	// The path is read-only now, so that Enter must not disconnect.
	p.get(element("#path") + ".focus()")
	p.key(enter)
	p.get(element("#send") + ".focus()")
	p.key(space)
	p.want(lastRow, "in | text | 54 B | Hello from the server! You sent: Hello from the client")
	p.wantText("#state", "Connected")

	p.get(element("#text") + ".focus()")
	p.keyWithShift(enter)
	p.key(enter)
	p.wantText("#received", "2")
	p.wantText("#bytes-out", "43 B")                             // 21 and 22
	p.want(element("#text")+".value", "\nHello from the client") // Only Shift+Enter adds a line.

	p.get(element("#connection summary") + ".focus()")
	p.key(enter)
	p.key(tab)
	p.want(focused, "code")
	p.key(enter)
	p.wantText("#state", "Disconnected")
	p.want(focused, "code")
	p.key(enter) // The code is for disconnecting.
	p.get(element("#path") + ".focus()")
	p.wantText("#state", "Disconnected")
	p.key(enter)
	p.wantText("#state", "Connected")
}

// The focus stays where it is when the connection ends, and buttons then say why they do nothing.
func TestFocusStays(t *testing.T) { inEachBrowser(t, testFocusStays) }

func testFocusStays(t *testing.T, start startFunc) {
	app := program.StartApp(t)
	p := openConsole(t, start, app)
	p.get(element("#send") + ".focus()")
	app.Terminate()
	p.wantText("#state", "Disconnected")
	for _, id := range []string{"send", "pick", "repeat"} {
		p.get(element("#"+id) + ".focus()")
		p.want(focused, id)
		p.want(element("#"+id)+".ariaDisabled", "true")
		p.wantText("#sending", "")
		p.key(space)
		p.wantText("#sending", "Not sent: there is no connection.")
		p.get(element("#sending") + ".textContent = ''")
	}
	p.want(element("#repeat")+".checked", "false")
}

// An invalid code or reason is shown when it is used, and only then, and what is to be closed
// stays open.
func TestInvalidClose(t *testing.T) { inEachBrowser(t, testInvalidClose) }

func testInvalidClose(t *testing.T, start startFunc) {
	p := openConsole(t, start, program.StartApp(t))
	fold := element("#closing") + ".open = false"
	p.press("#closing summary")
	for _, test := range []struct{ code, reason, field, text string }{
		{"1001", "", "code", "Not disconnected: browsers let pages close with 1000, or 3000 to 4999."},
		{"10000", "", "code", "Not disconnected: browsers let pages close with 1000, or 3000 to 4999."},
		{
			"4000", strings.Repeat("é", 62), "reason",
			"Not disconnected: the reason has 124 bytes, and 123 is the most.",
		},
	} {
		p.get(element("#closing") + ".open = true")
		p.enter("#code", test.code)
		p.enter("#reason", test.reason)
		p.get(fold)
		p.press("#connect")
		p.want(focused, test.field)
		p.want(element("#closing")+".open", "true")
		p.want(element("#"+test.field)+".ariaInvalid", "true")
		p.wantText("#close-error", test.text)
		p.wantText("#state", "Connected")
	}
	p.wantEcho()
	p.enter("#reason", strings.Repeat("é", 61))
	p.get(fold)
	p.press("#connect")
	p.wantText("#outcome strong", "Closed with 4000 Private Use")
	p.wantText("#close-error", "")
	p.want(`document.querySelectorAll("[aria-invalid]").length`, "0")

	p.get(element("#closing") + ".open = true")
	p.enter("#code", "1001") // does not matter for connecting
	p.get(fold)
	p.press("#connect")
	p.wantText("#state", "Connected")
}

func TestInvalidSubprotocol(t *testing.T) { inEachBrowser(t, testInvalidSubprotocol) }

func testInvalidSubprotocol(t *testing.T, start startFunc) {
	p := openConsole(t, start, program.StartApp(t))
	p.press("#connect")
	p.wantText("#state", "Disconnected")
	p.enter("#subprotocols", "a b")
	p.press("#connect")
	p.wantText("#connect-error", "Not connected: subprotocols are different names, separated by "+
		"commas, of ASCII letters, digits and !#$%&'*+-.^_`|~")
	p.want(focused, "subprotocols")
	p.wantText("#connect", "Connect")
	p.enter("#subprotocols", "chat")
	p.press("#connect")
	p.wantText("#state", "Connected")
	p.wantText("#connect-error", "")
}

// Firefox says of this close that it was not clean.
func TestMessageTooBig(t *testing.T) { inEachBrowser(t, testMessageTooBig) }

func testMessageTooBig(t *testing.T, start startFunc) {
	p := openConsole(t, start, program.StartApp(t))
	p.sendFile(strings.Repeat("x", 1<<20+1))
	p.wantText("#outcome strong", "Closed with 1009 Message Too Big")
	p.wantText("#outcome p", "A message was larger than the server's limit. It is 1 MiB. "+
		"Reason: “message larger than 1048576 bytes”")
}

func TestWrongPath(t *testing.T) { inEachBrowser(t, testWrongPath) }

func testWrongPath(t *testing.T, start startFunc) {
	app := program.StartApp(t)
	p := openConsole(t, start, app)
	p.press("#connect")
	p.wantText("#state", "Disconnected")
	p.enter("#path", "/nope#x")
	p.press("#connect")
	p.wantText("#outcome strong", "Not connected: 1006 Abnormal Closure")
	p.wantText("#outcome p", "The path is wrong: this server's endpoint is /ws.")
	p.want(`document.querySelectorAll("#outcome li").length`, "0")
	p.wantProblem(strings.TrimPrefix(app.Web, "http:") + "nope%23x")
}

// Short texts are shown whole, others unfold, at every width.
func TestNothingIsCut(t *testing.T) { inEachBrowser(t, testNothingIsCut) }

func testNothingIsCut(t *testing.T, start startFunc) {
	p := openConsole(t, start, program.StartApp(t))
	text := strings.Repeat("nospace", 20) + "\n  two\nthree"
	p.enter("#text", text)
	p.press("#send")
	p.wantText("#log .in:last-child .content > span", "Hello from the server! You sent: "+text)
	const lines = `((e, log) => Array.from(e.getClientRects())
		.filter(line => line.right <= log.getBoundingClientRect().right).length >= 4
	)(document.querySelector("#log .in .content > span"), document.querySelector("#log"))`
	long := strings.Repeat("nospace", 50)
	p.enter("#text", long)
	p.press("#send")
	p.wantText("#log .in:last-child pre", "Hello from the server! You sent: "+long)
	p.press("#log .in:last-child summary")
	for _, width := range []int{1280, 1000, 375} {
		p.check(p.browser.resize(width, 900))
		p.want("innerWidth", strconv.Itoa(width))
		p.want(lines, "true")
		p.want(`(e => e.scrollWidth <= e.clientWidth)(`+element("#log .in:last-child pre")+`)`, "true")
	}
}

// Screen readers read new rows, unless they come by the clock.
func TestRepeat(t *testing.T) { inEachBrowser(t, testRepeat) }

func testRepeat(t *testing.T, start startFunc) {
	p := openConsole(t, start, program.StartApp(t))
	p.want(element("#log")+".role", "log")
	p.press("#repeat")
	p.want(element("#log")+".ariaLive", "off")
	p.want("Number("+element("#received")+".textContent) >= 2", "true")
	p.press("#repeat")
	p.want(element("#log")+".ariaLive", "polite")
}

// The log keeps 500 rows, follows new ones, and takes the focus over from those that it drops.
func TestManyRows(t *testing.T) { inEachBrowser(t, testManyRows) }

func testManyRows(t *testing.T, start startFunc) {
	p := openConsole(t, start, program.StartApp(t))
	p.enter("#text", strings.Repeat("x", 400))
	p.press("#send")
	p.wantText("#received", "1")
	p.get(element("#log summary") + ".focus()")
	p.want(focused, "summary")
	p.get(`Array.from({length: 260}, () => ` + element("#send") + `.click()).length`)
	p.wantText("#received", "261")
	p.want(`document.querySelectorAll("#log li").length`, "500")
	p.want(focused, "log")
	p.want(bottom("#log li:last-child")+" <= 1 + "+bottom("#log"), "true")

	p.get(element("#log") + ".scrollTop = 100")
	p.want(element("#log")+".scrollTop", "100")
	p.press("#send") // The log does not follow anybody who reads.
	p.wantText("#received", "262")
	p.want(bottom("#log li:last-child")+" > 100 + "+bottom("#log"), "true")

	p.press("#clear")
	p.want(`document.querySelectorAll("#log li").length`, "0")
	p.wantEcho()
}
