package browser_test

import (
	"net/url"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

// startOverHTTP2 runs the app with TLS, and announces WebSockets over HTTP/2.
func startOverHTTP2(t *testing.T, args ...string) *program.App {
	t.Helper()
	return program.StartAppWith(t, []string{"GODEBUG=http2xconnect=1"}, append(args, "-tls")...)
}

// wantLogged waits for the first line of a WebSocket in the app's access log.
func wantLogged(t *testing.T, app *program.App, prefix, suffix string) {
	t.Helper()
	for {
		line, ok := app.Line()
		if !ok || strings.Contains(line, " /ws ") {
			if !strings.HasPrefix(line, prefix) || !strings.HasSuffix(line, suffix) {
				t.Errorf("the app logged %q, want %s…%s", line, prefix, suffix)
			}
			return
		}
	}
}

// Over TLS, browsers send an extended CONNECT (RFC 8441) on the connection that has the page.
func TestHTTP2(t *testing.T) { inEachBrowser(t, testHTTP2) }

func testHTTP2(t *testing.T, start startFunc) {
	app := startOverHTTP2(t, "-compress", "-read-limit", "300000")
	p := openPage(t, start, app.Web)
	p.wantConnectedOver("HTTP/2", app.WS+", no subprotocol, permessage-deflate")
	p.wantEcho()
	text := strings.Repeat("All work and no play makes Jack a dull boy. ", 300)
	p.enter("#text", text)
	p.press("#send")
	p.wantText("#log .in:last-child pre", "Hello from the server! You sent: "+text)
	p.sendFile(strings.Repeat("x", 300_000)) // is larger than the window of a stream
	p.wantText("#log .in:last-child .size", "293 KiB")

	p.press("#connection summary")
	p.enter("#code", "4321")
	p.enter("#reason", "my own reason")
	p.press("#connect")
	p.wantText("#outcome strong", "Closed with 4321 Private Use")
	wantLogged(t, app, "CONNECT /ws 200 ", " ms - - HTTP/2.0")

	p.enter("#subprotocols", "chat")
	p.press("#connect")
	p.wantConnectedOver("HTTP/2", app.WS+", subprotocol chat, permessage-deflate")
	p.sendFile(strings.Repeat("x", 300_001))
	p.wantText("#outcome strong", "Closed with 1009 Message Too Big")
	wantLogged(t, app, "CONNECT /ws 200 ", " ms - - HTTP/2.0")

	p.press("#connect")
	p.wantConnectedOver("HTTP/2", app.WS+", subprotocol chat, permessage-deflate")
	app.Terminate()
	p.wantText("#outcome strong", "Closed with 1001 Going Away")
	p.wantText("#outcome p", "The server is shutting down, or the page was left. "+
		"Reason: “server is shutting down”")
	wantLogged(t, app, "CONNECT /ws 200 ", " ms - - HTTP/2.0")
	app.Wait()
}

// The 403 reaches the page as a failed connection, and the browser does not try HTTP/1.1.
func TestHTTP2OtherOrigin(t *testing.T) { inEachBrowser(t, testHTTP2OtherOrigin) }

func testHTTP2OtherOrigin(t *testing.T, start startFunc) {
	s, app := serveForeignPage(t), startOverHTTP2(t)
	query := url.Values{"ws": {app.WS}, "first": {app.Web}}
	p := openPage(t, start, s.URL+"/?"+query.Encode())
	p.wantText("#events", "error; close 1006; ")
	p.wantProblem(strings.TrimPrefix(app.WS, "wss:"))
	wantLogged(t, app, "CONNECT /ws 403 ", " HTTP/2.0")
}
