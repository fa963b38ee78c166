package browser_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

// lastRow evaluates to the latest row of the page's log: kind, type, size and content.
const lastRow = `(row => [row?.className].concat([".type", ".size", ".content > span, summary"]
	.map(part => row?.querySelector(part)?.textContent)).filter(Boolean).join(" | ")
)(document.querySelector("#log li:last-child"))`

// openConsole opens the app's page, which connects when it is loaded.
func openConsole(t *testing.T, start startFunc, app *program.App) *page {
	t.Helper()
	p := openPage(t, start, app.Web)
	p.wantConnected(app.WS + ", no subprotocol, no extensions")
	return p
}

func (p *page) wantConnected(details string) {
	p.t.Helper()
	p.wantConnectedOver("HTTP/1.1", details)
}

func (p *page) wantConnectedOver(version, details string) {
	p.t.Helper()
	details += ", " + version
	p.wantText("#state", "Connected")
	p.wantText("#connect", "Disconnect")
	p.wantText("#endpoint", details)
	p.want(lastRow, "event | Connected to "+details)
}

// wantEcho sends a message and waits for the reply.
func (p *page) wantEcho() {
	p.t.Helper()
	p.enter("#text", "Hello from the client")
	p.press("#send")
	p.want(lastRow, "in | text | 54 B | Hello from the server! You sent: Hello from the client")
}

// sendFile chooses a file for the page to send.
func (p *page) sendFile(content string) {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "some.bin")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.check(p.browser.choose("#file", file))
}

func TestEcho(t *testing.T) { inEachBrowser(t, testEcho) }

func testEcho(t *testing.T, start startFunc) {
	p := openConsole(t, start, program.StartApp(t))
	p.wantText("#plot-caption",
		"No round trips yet. Send a message, or switch on “Repeat every”.")
	p.want(element("#plot")+".textContent", "00.5 ms1 ms") // the labels of the axis
	p.wantEcho()

	p.enter("#text", "grüße, 世界 🌍")
	p.key(enter)
	p.want(lastRow, "in | text | 53 B | Hello from the server! You sent: grüße, 世界 🌍")

	p.sendFile("\x00\xffA\xc3\x28")
	p.want(lastRow, "in | binary | 38 B | Hello from the server! You sent: ··A·(")
	p.wantText("#log .in:last-child pre", ""+
		"0000  48 65 6c 6c 6f 20 66 72 6f 6d 20 74 68 65 20 73  Hello from the s\n"+
		"0010  65 72 76 65 72 21 20 59 6f 75 20 73 65 6e 74 3a  erver! You sent:\n"+
		"0020  20 00 ff 41 c3 28                                 ··A·(")
	p.wantText("#log .out:nth-last-child(2) summary", "some.bin: ··A·(")
	p.wantText("#sending", "Sent some.bin.")

	p.wantText("#sent", "3")
	p.wantText("#received", "3")
	p.wantText("#bytes-out", "46 B")
	p.wantText("#bytes-in", "145 B")
	p.wantRoundTrips(3)

	p.wantEcho()
	p.wantText("#sending", "") // It was about the file.
}

// The page shows why the server closed the connection, and can reconnect after the restart.
func TestServerRestarts(t *testing.T) { inEachBrowser(t, testServerRestarts) }

func testServerRestarts(t *testing.T, start startFunc) {
	app := program.StartApp(t)
	p := openConsole(t, start, app)
	p.wantEcho()
	app.Terminate()
	p.wantText("#state", "Disconnected")
	p.wantText("#outcome strong", "Closed with 1001 Going Away")
	p.wantText("#outcome p", "The server is shutting down, or the page was left. "+
		"Reason: “server is shutting down”")
	app.Wait()

	address := strings.TrimSuffix(strings.TrimPrefix(app.Web, "http://"), "/")
	again := program.StartApp(t, "-addr", address)
	t.Cleanup(p.finish)
	p.wantText("#connect", "Connect")
	p.press("#connect")
	p.wantConnected(again.WS + ", no subprotocol, no extensions")
	p.want(element("#outcome")+".hidden", "true")
	p.wantEcho()
	p.wantText("#received", "2")
}

func TestClosing(t *testing.T) { inEachBrowser(t, testClosing) }

func testClosing(t *testing.T, start startFunc) {
	p := openConsole(t, start, program.StartApp(t))
	p.sendFile("\x00\xffA\xc3\x28")
	p.want(lastRow, "in | binary | 38 B | Hello from the server! You sent: ··A·(")
	p.press("#connection summary")
	p.enter("#code", "4321")
	p.enter("#reason", "my own reason")
	p.press("#connect")
	p.wantText("#state", "Disconnected")
	p.wantText("#outcome strong", "Closed with 4321 Private Use")
	p.wantText("#outcome p", "The application defines its meaning. Reason: “my own reason”")
	p.want(lastRow, "event | Closed with 4321 Private Use. Reason: “my own reason”")
	p.wantText("#sending", "Sent some.bin.") // The page does not report it as lost.
}

// Unless it is announced over HTTP/2, browsers open a connection of HTTP/1.1 for the WebSocket.
func TestTLS(t *testing.T) { inEachBrowser(t, testTLS) }

func testTLS(t *testing.T, start startFunc) {
	app := program.StartApp(t, "-tls")
	p := openConsole(t, start, app)
	p.wantEcho()
	wantLogged(t, app, "GET /ws 101 ", " ms - -")
	for url, scheme := range map[string]string{app.Web: "https://", app.WS: "wss://"} {
		if !strings.HasPrefix(url, scheme) {
			t.Errorf("the app is at %s, want %s", url, scheme)
		}
	}
}

func TestCompression(t *testing.T) { inEachBrowser(t, testCompression) }

func testCompression(t *testing.T, start startFunc) {
	app := program.StartApp(t, "-compress")
	p := openPage(t, start, app.Web)
	p.wantConnected(app.WS + ", no subprotocol, permessage-deflate")
	p.wantEcho()
	text := strings.Repeat("All work and no play makes Jack a dull boy. ", 300)
	p.enter("#text", text)
	p.press("#send")
	p.wantText("#log .in:last-child pre", "Hello from the server! You sent: "+text)
	p.wantText("#log .in:last-child .size", "12.9 KiB")
	p.wantText("#bytes-out", "12.9 KiB")
}
