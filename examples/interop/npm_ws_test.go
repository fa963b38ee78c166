package interop_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

// The npm package ws, whose server a wsecho server takes the place of, as client of it.
func TestNPMWS(t *testing.T) {
	ws := echo(middleware.Options{Compression: true})
	s := serve(t, ws.Handler(app()))
	lines := runClient(t, wsURL(s))
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
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := ws.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	wantLine(t, lines, `{"step":"shutdown","code":1001,"reason":"server is shutting down"}`)
	if lines.Scan() {
		t.Errorf("got %q, want no more", lines.Text())
	}
}

func wantLine(t *testing.T, lines *bufio.Scanner, want string) {
	t.Helper()
	if !lines.Scan() {
		t.Fatalf("the client ended, %v; want %s", lines.Err(), want)
	}
	if got := lines.Text(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// installPatience is for a package that has to come over the network.
const installPatience = 2 * time.Minute

// runClient installs and starts the client and returns its output, line by line. The test fails if it does
// not come to a good end.
func runClient(t *testing.T, url string) *bufio.Scanner {
	t.Helper()
	node, npm := program(t, "node"), program(t, "npm")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "ws"))); err != nil {
		t.Fatal(err)
	}
	// The test's own context would end before the client is waited for.
	ctx, cancel := context.WithTimeout(context.Background(), installPatience)
	t.Cleanup(cancel)
	install := exec.CommandContext(ctx, npm, "ci", "--prefer-offline", "--ignore-scripts")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	client := exec.CommandContext(ctx, node, "client.js", url)
	client.Dir, client.Stderr = dir, t.Output()
	out, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			cancel() // It may be waiting for what does not come.
		}
		if err := client.Wait(); err != nil {
			t.Errorf("client.js: %v", err)
		}
	})
	return bufio.NewScanner(out)
}
