package browser_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

// foreignPage is a page of another origin, which uses the endpoint that its query names. What the
// query has as the first is fetched before, on a connection for requests with credentials, which
// those of WebSockets are.
const foreignPage = `<!DOCTYPE html>
<link rel="icon" href="data:,">
<p id="events"></p>
<script type="module">
const query = new URLSearchParams(location.search);
if (query.has("first")) await fetch(query.get("first"), { mode: "no-cors", credentials: "include" });
const ws = new WebSocket(query.get("ws"));
const report = (event) => document.getElementById("events").append(event, "; ");
ws.onopen = () => {
	report("open");
	ws.send("Hello from the client");
};
ws.onmessage = ({ data }) => {
	report(data);
	ws.close(1000);
};
ws.onerror = () => report("error");
ws.onclose = ({ code }) => report("close " + code);
</script>
`

func serveForeignPage(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, foreignPage)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestOtherOriginIsRefused(t *testing.T) { inEachBrowser(t, testOtherOriginIsRefused) }

func testOtherOriginIsRefused(t *testing.T, start startFunc) {
	s, app := serveForeignPage(t), program.StartApp(t)
	p := openPage(t, start, s.URL+"/?ws="+url.QueryEscape(app.WS))
	p.wantText("#events", "error; close 1006; ")
	p.wantProblem(strings.TrimPrefix(app.WS, "ws:"))
	if line, _ := app.Line(); !strings.HasPrefix(line, "GET /ws 403 ") {
		t.Errorf("the app logged %q, want GET /ws 403", line)
	}
}

func TestOtherOriginIsAllowed(t *testing.T) { inEachBrowser(t, testOtherOriginIsAllowed) }

func testOtherOriginIsAllowed(t *testing.T, start startFunc) {
	s := serveForeignPage(t)
	app := program.StartApp(t, "-origin", s.URL)
	p := openPage(t, start, s.URL+"/?ws="+url.QueryEscape(app.WS))
	p.wantText("#events",
		"open; Hello from the server! You sent: Hello from the client; close 1000; ")
	if line, _ := app.Line(); !strings.HasPrefix(line, "GET /ws 101 ") {
		t.Errorf("the app logged %q, want GET /ws 101", line)
	}
}
