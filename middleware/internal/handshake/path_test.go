package handshake

import "testing"

func TestValidatePath(t *testing.T) {
	for _, test := range []struct{ path, want string }{
		{"", ""},
		{"/", ""},
		{"/ws", ""},
		{"/a/b/", ""},
		{"ws", `path "ws": must begin with "/"`},
		{"/{id}", `path "/{id}": wildcards are not supported`},
		{"/ws?x=1", `path "/ws?x=1": must have no query or fragment`},
		{"//ws", `path "//ws": must be clean, without //, . and .. elements`},
		{"/a/../ws", `path "/a/../ws": must be clean, without //, . and .. elements`},
	} {
		got := ""
		if err := ValidatePath(test.path); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%q: got %q, want %q", test.path, got, test.want)
		}
	}
}

func TestMatchPath(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		want          bool
	}{
		{"/ws", "/ws", true},
		{"/ws", "/ws/", false},
		{"/ws", "/WS", false},
		{"/ws/", "/ws/a/b", true},
		{"/ws/", "/ws", false},
		{"/ws/", "/ws/../admin", false},
		{"/ws/", "/ws//a", false},
		{"/", "/any/path/", true},
		{"/", "//any", false},
	} {
		if got := MatchPath(test.pattern, test.path); got != test.want {
			t.Errorf("%q: MatchPath(%q) = %v", test.pattern, test.path, got)
		}
	}
}
