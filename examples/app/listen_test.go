package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	want := "Port " + strconv.Itoa(taken.Addr().(*net.TCPAddr).Port) + " is already in use; "
	cannotListen(t, want+"-addr or PORT chooses another\n", env("", ""), "-addr", addr)
	cannotListen(t, want+"-debug-addr chooses another\n", env("", ""),
		"-addr", "127.0.0.1:0", "-debug-addr", addr)
}

func TestPipeInUse(t *testing.T) {
	path := filepath.Join(socketDir(t), "s")
	taken, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cannotListen(t, "Pipe "+path+" is already in use; -addr or PORT chooses another\n", env("PORT", path))
}

// A process that is killed leaves its socket behind, which the next one takes over.
func TestStalePipe(t *testing.T) {
	path := filepath.Join(socketDir(t), "s")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	startAs(t, map[string]string{"PORT": path})
	c := dialWith(t, unixDialer(path), "ws://localhost/ws")
	const want = "Hello from the server! You sent: hi"
	if got := echo(t, c, "hi"); got != want {
		t.Errorf("reply %q, want %q", got, want)
	}
	c.Close()
}

// A file refuses connections as a stale socket does, but is not the application's to remove.
func TestPipeIsFile(t *testing.T) {
	path := filepath.Join(socketDir(t), "s")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	const remedy = "; -addr or PORT chooses another\n"
	cannotListen(t, "Pipe "+path+" is a file, not a socket"+remedy, env("PORT", path))
	dir := t.TempDir() + "/"
	cannotListen(t, "Pipe "+dir+" is a directory, not a socket"+remedy, env("PORT", dir))
	if got, err := os.ReadFile(path); string(got) != "precious" {
		t.Errorf("the file is now %q, %v", got, err)
	}
}

// A listener that is too busy to accept is in use.
func TestBusyPipe(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere, busy listeners refuse connections too")
	}
	path := filepath.Join(socketDir(t), "s")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := errors.Join(
		syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}), syscall.Listen(fd, 0),
	); err != nil {
		t.Fatal(err)
	}
	for range 2 { // more than the backlog; beyond it, connect fails at once
		if c, err := net.Dial("unix", path); err == nil {
			defer c.Close()
		}
	}
	cannotListen(t, "Pipe "+path+" is already in use; -addr or PORT chooses another\n", env("PORT", path))
}

func cannotListen(t *testing.T, want string, getenv func(string) string, args ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), args, getenv, &stdout, &stderr); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	if got := stderr.String(); got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
	if stdout.Len() > 0 {
		t.Errorf("stdout %q, want nothing", stdout.String())
	}
}

// Whether a low port needs privileges depends on the user, so this tests only the messages.
func TestListenErrors(t *testing.T) {
	bind := func(errno error) error {
		return &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", errno)}
	}
	for _, test := range []struct {
		at   address
		err  error
		want string
	}{
		{address{port: "80"}, bind(syscall.EACCES), "Port 80 requires elevated privileges"},
		{address{socket: "/s"}, bind(syscall.EACCES), "Pipe /s requires elevated privileges"},
		{address{port: "80"}, bind(syscall.EADDRINUSE), "Port 80 is already in use"},
		{address{socket: "/s"}, bind(syscall.EADDRINUSE), "Pipe /s is already in use"},
		{address{port: "80"}, errors.New("no"), "app: no"},
	} {
		if got := test.at.explain(test.err).Error(); got != test.want {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(socketDir(t), "s")
	a := startAs(t, map[string]string{"PORT": path})
	if a.web != "pipe "+path {
		t.Errorf("listens on %q, want %q", a.web, "pipe "+path)
	}
	c := dialWith(t, unixDialer(path), "ws://localhost/ws")
	const want = "Hello from the server! You sent: Hello from the client"
	if got := echo(t, c, "Hello from the client"); got != want {
		t.Errorf("reply %q, want %q", got, want)
	}
	c.Close()
	if status := a.stop(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket still exists: %v", err)
	}
}

// socketDir returns a short path: that of a Unix socket is limited to about 100 bytes.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "app")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestAnnouncedURL(t *testing.T) {
	for _, test := range []struct {
		args, web, ws, next string // with PORT for the port
	}{
		{"-addr 127.0.0.1:0", "http://127.0.0.1:PORT/", "ws://127.0.0.1:PORT/ws", drainLine(0)},
		{
			"-addr localhost:0 -path /a/", "http://localhost:PORT/", "ws://localhost:PORT/a/",
			drainLine(0),
		},
		{
			"-addr :0", "http://localhost:PORT/", "ws://localhost:PORT/ws",
			"Listening on every interface ([::]:PORT): other machines can connect; " +
				"-addr localhost:PORT keeps them out",
		},
		{
			"-addr 0.0.0.0:0 -tls", "https://localhost:PORT/", "wss://localhost:PORT/ws",
			"Listening on every interface ([::]:PORT): other machines can connect; " +
				"-addr localhost:PORT keeps them out",
		},
	} {
		t.Run(test.args, func(t *testing.T) {
			a := startAs(t, nil, strings.Fields(test.args)...)
			_, port, _ := strings.Cut(strings.TrimSuffix(a.web, "/"), "://")
			port = port[strings.LastIndex(port, ":")+1:]
			if want := strings.ReplaceAll(test.web, "PORT", port); port == "0" || a.web != want {
				t.Errorf("page at %q, want %q", a.web, want)
			}
			if want := strings.ReplaceAll(test.ws, "PORT", port); a.ws != want {
				t.Errorf("endpoint at %q, want %q", a.ws, want)
			}
			a.stop()
			if line, want := receive(t, a.lines), strings.ReplaceAll(test.next, "PORT", port); line != want {
				t.Errorf("printed next %q, want %q", line, want)
			}
		})
	}
}
