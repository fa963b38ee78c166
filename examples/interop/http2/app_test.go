package http2_test

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

// The app serves WebSockets over HTTP/2 without TLS, and tells the page of the version.
func TestApp(t *testing.T) {
	a := program.StartAppWith(t, []string{"GODEBUG=" + godebug}, "-h2c")
	at, err := url.Parse(a.Web)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", at.Host)
	if err != nil {
		t.Fatal(err)
	}
	ws := newClient(t, conn).connect("origin= http://" + at.Host)
	if got, want := ws.headers(), "set-cookie: websocket-http=HTTP/2; Path=/; SameSite=Strict\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	ws.send(hello + bye)
	ws.want(reply(0x81, "Hello from the server! You sent: hello") + byeBack)
	ws.wantEnd()
	line, _ := a.Line()
	if !strings.HasPrefix(line, "CONNECT /ws 200 ") || !strings.HasSuffix(line, " ms - - HTTP/2.0") {
		t.Errorf("logged %q", line)
	}
	a.Terminate()
	a.Wait()
}
