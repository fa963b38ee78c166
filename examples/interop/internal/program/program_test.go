package program_test

import (
	"net/http"
	"os/exec"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

func TestApp(t *testing.T) {
	app := program.StartApp(t)
	resp, err := http.Get(app.Web + "users")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("GET /users: %s", resp.Status)
	}
	if line, _ := app.Line(); line == "" {
		t.Error("the app has not logged the request")
	}
	app.Terminate()
	app.Wait()
}

func TestLines(t *testing.T) {
	p := program.Start(t, exec.Command("printf", `one\ntwo\n`))
	for _, want := range []string{"one", "two"} {
		if line, ok := p.Line(); line != want || !ok {
			t.Errorf("got %q, %t; want %q", line, ok, want)
		}
	}
	if line, ok := p.Line(); ok {
		t.Errorf("got %q, want the end", line)
	}
	p.Wait()
}

// Output that no test reads does not block the program.
func TestUnreadLines(t *testing.T) {
	p := program.Start(t, exec.Command("seq", "70000"))
	p.Wait()
	if line, ok := p.Line(); line != "1" || !ok {
		t.Errorf("got %q, %t; want %q", line, ok, "1")
	}
}

// Users have no /usr/sbin in their PATH.
func TestFindInSbin(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	const want = "/usr/sbin/nologin"
	if got := program.Find(t, "nologin", "login"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
