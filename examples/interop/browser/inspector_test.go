package browser_test

import (
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

// openInspector opens the panel of the page.
func (p *page) openInspector() {
	p.t.Helper()
	p.press("#inspector summary")
	p.want(element("#inspector")+".open", "true")
}

// reports evaluates to the events that the log has of the inspector.
const reports = `Array.from(document.querySelectorAll("#log .in .content"),
	e => e.textContent.match(/"event": ?"(\w+)"/)?.[1]).join(" ")`

// roundTrips evaluates to the number of messages in the log that have one.
const roundTrips = `Array.from(document.querySelectorAll("#log .in .rtt"))
	.filter(e => e.textContent).length`

// The panel leaves the echo for the inspector, whose reports are in the log.
func TestInspector(t *testing.T) { inEachBrowser(t, testInspector) }

func testInspector(t *testing.T, start startFunc) {
	app := program.StartApp(t)
	p := openConsole(t, start, app)
	p.openInspector()
	p.enter("#close", "4000@2")
	p.press("#inspect")
	p.wantText("#endpoint", app.WS+"/inspect?close=4000@2, no subprotocol, no extensions, HTTP/1.1")
	p.want(element("#path")+".value", "/ws/inspect?close=4000@2")
	p.want(reports, "handshake")
	p.want(`document.querySelector("#log .in pre").textContent.includes('"path": "/ws/inspect"')`, "true")
	p.press("#send")
	p.want(reports, "handshake message")
	p.press("#send")
	p.wantText("#outcome strong", "Closed with 4000 Private Use")
	p.wantText("#outcome p", "The application defines its meaning. "+
		"Reason: “the query has asked for this close”")
	p.want(reports, "handshake message message")
	p.want(roundTrips, "2")
}

// What is pushed is nobody's reply.
func TestInspectorPushes(t *testing.T) { inEachBrowser(t, testInspectorPushes) }

func testInspectorPushes(t *testing.T, start startFunc) {
	p := openConsole(t, start, program.StartApp(t))
	p.openInspector()
	p.enter("#every", "10ms")
	p.enter("#delay", "200ms")
	p.enter("#cut", "100")
	p.press("#inspector [name=ping]")
	p.press("#inspect")
	p.want(element("#path")+".value", "/ws/inspect?delay=200ms&every=10ms&cut=100&ping=off")
	p.want("Number("+element("#received")+".textContent) > 3", "true")
	p.press("#send")
	p.wantText("#outcome strong", "Closed with 1006 Abnormal Closure")
	p.wantText("#received", "101")
	p.want(roundTrips, "1")
	p.want("parseFloat("+element("#last")+".textContent) >= 200", "true")
}

// The page tells what the browser hides: why the handshake was refused.
func TestInspectorRefuses(t *testing.T) { inEachBrowser(t, testInspectorRefuses) }

func testInspectorRefuses(t *testing.T, start startFunc) {
	const refused = "The inspector answers with 503: refused because the query has a status"
	app := program.StartApp(t)
	p := openConsole(t, start, app)
	p.expected = []string{
		strings.TrimPrefix(app.Web, "http:") + "ws/inspect", "Failed to load resource",
	}
	p.openInspector()
	p.enter("#size", "1TiB")
	p.press("#inspect")
	p.wantText("#outcome p", `The inspector answers with 400: size "1TiB": `+
		"must be a number of bytes from 0 to 1MiB, such as 4096 or 64KiB")
	p.enter("#size", "")
	p.enter("#status", "503")
	p.key(enter)
	p.wantText("#outcome p", refused)
	p.want(lastRow, "event | "+refused)
	p.enter("#status", "")
	p.press("#inspect")
	p.wantText("#state", "Connected")
	p.want(element("#outcome")+".hidden", "true")
}

// A server without an inspector has a page without the panel.
func TestNoInspector(t *testing.T) { inEachBrowser(t, testNoInspector) }

func testNoInspector(t *testing.T, start startFunc) {
	p := openConsole(t, start, program.StartApp(t, "-inspect=off"))
	p.want(element("#inspector"), "null")
	p.wantEcho()
}

func TestInspectorOnPhone(t *testing.T) { inEachBrowser(t, testInspectorOnPhone) }

func testInspectorOnPhone(t *testing.T, start startFunc) {
	p := openPageOnPhone(t, start, program.StartApp(t).Web)
	p.wantText("#state", "Connected")
	p.openInspector()
	p.wantFits()
	p.press("#inspect")
	p.want(reports, "handshake")
	p.wantFits()
	p.want(bottom("#log")+" > 0", "true") // on the screen
	p.press("#log li:last-child summary")
	p.wantFits()
}
