package express_test

import (
	"os/exec"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

// What the two servers have in common, as a client with the npm package ws sees it.
func testTranscript(t *testing.T, dir string, s *server) {
	cmd := exec.Command(program.Find(t, "node", "nodejs"), "client.mjs", s.address)
	cmd.Dir = dir
	client := program.Start(t, cmd)
	for _, want := range []string{
		`{"step":"open","protocol":"","extensions":""}`,
		`{"step":"text","binary":false,"text":"Hello from the server! You sent: Hello from the client"}`,
		`{"step":"Unicode","binary":false,"text":"Hello from the server! You sent: grüße, 世界 🌍"}`,
		`{"step":"empty text","binary":false,"text":"Hello from the server! You sent: "}`,
		`{"step":"fragments","binary":false,"text":"Hello from the server! You sent: Hello again"}`,
		`{"step":"1 MiB","binary":false,"length":1048609,"sha256":"14b5da77463c42cccc72f4acf7d47c3cab7a17e53df34e6986ec138fce6fd54c"}`,
		`{"step":"ping","pong":"are you there?"}`,
		`{"step":"ping","pong":""}`,
		`{"step":"close 1000","code":1000,"reason":""}`,
		`{"step":"close 4321","code":4321,"reason":"my own reason"}`,
		`{"step":"close without a code","code":1005,"reason":""}`,
		`{"step":"subprotocol","protocol":"chat.v2"}`,
		`{"step":"close in Unicode","code":1001,"reason":"tschüß"}`,
		`{"step":"GET /users","status":200,"body":"respond with a resource"}`,
		`{"step":"GET /","status":200}`,
		`{"step":"GET /ws","status":404}`,
		`{"step":"GET /no/such/route","status":404}`,
	} {
		got, ok := client.Line()
		if !ok {
			t.Fatalf("the client ended; want %s", want)
		}
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if line, ok := client.Line(); ok {
		t.Errorf("got %q, want no more", line)
	}
	client.Wait()
}
