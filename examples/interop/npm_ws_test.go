package interop_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
	"example.com/wsecho/middleware"
)

// The client of the npm package ws, whose server wsecho replaces.
func TestNPMWS(t *testing.T) {
	ws := echo(middleware.Options{Compression: true})
	s := serve(t, ws.Handler(app()))
	node := program.Find(t, "node", "nodejs")
	client := exec.Command(node, "client.js", wsURL(s))
	client.Dir = program.NPMInstall(t, filepath.Join("testdata", "ws"))
	lines := program.Start(t, client)
	for _, want := range []string{
		`{"step":"text","binary":false,"text":"Hello from the server! You sent: Hello from the client"}`,
		`{"step":"Unicode","binary":false,"text":"Hello from the server! You sent: grüße, 世界 🌍"}`,
		`{"step":"empty text","binary":false,"text":"Hello from the server! You sent: "}`,
		`{"step":"binary","binary":true,"hex":"00fffe","length":36}`,
		`{"step":"1 MiB","binary":true,"length":1048609,"sha256":"3c101c4108db2c927e5584161784e899234d4d3bb40691cfee0eb3be43d2509c"}`,
		`{"step":"ping","pong":"are you there?"}`,
		`{"step":"close 1000","code":1000,"reason":""}`,
		`{"step":"close 4321","code":4321,"reason":"my own reason"}`,
		`{"step":"close without a code","code":1005,"reason":""}`,
		`{"step":"subprotocol","protocol":"chat.v2","code":1000,"reason":""}`,
		`{"step":"deflate off","extensions":"","replies":["4129 aa","4129 bb","4129 aa"],"code":1000,"reason":""}`,
		`{"step":"deflate on","extensions":"permessage-deflate","replies":["4129 aa","4129 bb","4129 aa"],"code":1000,"reason":""}`,
		`{"step":"deflate without takeover","extensions":"permessage-deflate","replies":["4129 aa","4129 bb","4129 aa"],"code":1000,"reason":""}`,
		`{"step":"deflate in small windows","extensions":"permessage-deflate","replies":["4129 aa","4129 bb","4129 aa"],"code":1000,"reason":""}`,
		`{"step":"open"}`,
	} {
		wantLine(t, lines, want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	if err := ws.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	wantLine(t, lines, `{"step":"shutdown","code":1001,"reason":"server is shutting down"}`)
	if line, ok := lines.Line(); ok {
		t.Errorf("got %q, want no more", line)
	}
	lines.Wait()
}

func wantLine(t *testing.T, client *program.Process, want string) {
	t.Helper()
	got, ok := client.Line()
	if !ok {
		t.Fatalf("the client ended; want %s", want)
	}
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
