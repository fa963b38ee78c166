//go:build linux

package load

import (
	"os"
	"syscall"
	"testing"
)

// A connection that cannot be opened leaves no descriptor behind.
func TestHandshakesCloseSockets(t *testing.T) {
	d := &dialer{to: syscall.SockaddrInet4{Port: 1 << 16}} // no valid port
	before := openFiles(t)
	err := new(Handshakes).run(d, 3)
	wantError(t, "port", err, "connect: invalid argument")
	if after := openFiles(t); after != before {
		t.Errorf("%d open files, before there were %d", after, before)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
