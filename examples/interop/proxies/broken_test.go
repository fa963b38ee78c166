//go:build linux

package proxies_test

import (
	"strings"
	"testing"

	"example.com/wsecho/middleware"
)

// broken is a configuration that lacks a line, with the answer to a handshake at example.com:8080
// and what the server logs. UPSTREAM stands for the address of the server.
type broken struct {
	name  string
	edits []edit
	want  string
	log   string
}

func TestBrokenConfiguration(t *testing.T) { each(t, testBrokenConfiguration) }

func testBrokenConfiguration(t *testing.T, k *kind) {
	for _, test := range k.broken {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, middleware.Options{})
			p := k.start(t, s.address, test.edits...)
			want := strings.ReplaceAll(test.want, "UPSTREAM", s.address)
			got := handshake(t, p, "ws://"+p.http, "example.com:8080", "http://example.com:8080")
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			s.log.Want(t, test.log)
		})
	}
}
