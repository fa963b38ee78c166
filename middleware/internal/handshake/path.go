package handshake

import (
	"fmt"
	"path"
	"strings"
)

// ValidatePath returns an error if handshakes cannot be intercepted on the path p. It may be empty.
func ValidatePath(p string) error {
	switch {
	case p == "":
		return nil
	case p[0] != '/':
		return fmt.Errorf(`path %q: must begin with "/"`, p)
	case strings.ContainsAny(p, "{}"):
		return fmt.Errorf("path %q: wildcards are not supported", p)
	case strings.ContainsAny(p, "?#"):
		return fmt.Errorf("path %q: must have no query or fragment", p)
	case !isClean(p):
		return fmt.Errorf("path %q: must be clean, without //, . and .. elements", p)
	}
	return nil
}

// MatchPath reports whether p is the path pattern, or in its subtree if it ends with a slash.
func MatchPath(pattern, p string) bool {
	if p == pattern {
		return true
	}
	return pattern[len(pattern)-1] == '/' && strings.HasPrefix(p, pattern) && isClean(p)
}

// isClean reports whether http.ServeMux would serve p rather than redirect it.
func isClean(p string) bool {
	clean := path.Clean(p)
	if clean != "/" && strings.HasSuffix(p, "/") {
		return len(p) == len(clean)+1 && strings.HasPrefix(p, clean)
	}
	return p == clean
}
