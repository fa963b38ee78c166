package handshake

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// origin is the tuple of RFC 6454 §4, in lower case and with an explicit port. It is zero for an
// opaque origin.
type origin struct{ scheme, host, port string }

// parseOrigin parses the value of an Origin header (RFC 6454 §7). A scheme with an empty host is an
// opaque origin too: that is how some browsers write the origin of a local file, "file://".
func parseOrigin(s string) (origin, error) {
	scheme, hostport, ok := strings.Cut(s, "://")
	if s == "null" || ok && isToken(scheme) && hostport == "" {
		return origin{}, nil
	}
	host, port := splitHostPort(hostport)
	if !ok || !isToken(scheme) || !isHost(host) || !isPort(port) {
		return origin{}, fmt.Errorf("origin %.100q: must be scheme://host[:port]", s)
	}
	return newOrigin(scheme, hostport), nil
}

func newOrigin(scheme, hostport string) origin {
	scheme = strings.ToLower(scheme)
	host, port := splitHostPort(strings.ToLower(hostport))
	if port == "" {
		port = defaultPort(scheme)
	}
	return origin{scheme, host, port}
}

// splitHostPort is like net.SplitHostPort, but the port is optional and IPv6 brackets are kept.
func splitHostPort(s string) (host, port string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasSuffix(s, "]") {
		return s, ""
	}
	return s[:i], s[i+1:]
}

// isHost reports whether s is a host as browsers write it (RFC 6454 §6.2): a domain name in
// ASCII, an IPv4 address, or an IPv6 address in brackets.
func isHost(s string) bool {
	if ip, ok := strings.CutPrefix(s, "["); ok {
		ip, ok = strings.CutSuffix(ip, "]")
		return ok && strings.Contains(ip, ":") && net.ParseIP(ip) != nil
	}
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && strings.IndexByte("-._", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// isPort reports whether s is a port or empty.
func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return s == "" || err == nil
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}

// sameOrigin reports whether o is the origin that the request was sent to. With TLS its scheme is
// https. Without, it may be http or https, because a proxy may terminate TLS.
func sameOrigin(o origin, r *http.Request) bool {
	if o.scheme != "https" && (o.scheme != "http" || r.TLS != nil || forwardedFromTLS(r)) {
		return false
	}
	return o == newOrigin(o.scheme, r.Host)
}

// forwardedFromTLS reports whether a proxy says that it terminates TLS. The header need not be
// trusted, since it only restricts. Traefik sends wss.
func forwardedFromTLS(r *http.Request) bool {
	proto := r.Header.Get("X-Forwarded-Proto")
	return strings.EqualFold(proto, "https") || strings.EqualFold(proto, "wss")
}

// originPattern is a pattern of allowed origins: any value of the header, opaque origins, or those
// of one host. An empty scheme matches http and https, the port "*" any port.
type originPattern struct {
	any, null, subdomains bool
	origin
}

func parseOriginPattern(s string) (originPattern, error) {
	switch s {
	case "*":
		return originPattern{any: true}, nil
	case "null":
		return originPattern{null: true}, nil
	}
	fail := func(rule string) (originPattern, error) {
		return originPattern{}, fmt.Errorf("origin pattern %q: %s", s, rule)
	}
	scheme, hostport, ok := strings.Cut(s, "://")
	if !ok {
		scheme, hostport = "", scheme
	} else if !isToken(scheme) {
		return fail("has no scheme before ://")
	}
	if strings.ContainsAny(hostport, "/?#@") {
		return fail("must be [scheme://]host[:port] and nothing else")
	}
	p := originPattern{}
	hostport, p.subdomains = strings.CutPrefix(hostport, "*.")
	p.scheme = strings.ToLower(scheme)
	p.host, p.port = splitHostPort(hostport)
	switch {
	case p.host == "":
		return fail("has no host")
	case strings.Contains(p.host, "*"):
		return fail(`may have a "*" only as the first label of the host or as the port`)
	case !isHost(p.host):
		return fail("has a malformed host")
	case p.port != "*" && !isPort(p.port):
		return fail("has a malformed port")
	}
	p.host = strings.ToLower(p.host) // which is ASCII, as isHost has checked
	if p.port == "" {
		p.port = defaultPort(p.scheme)
	}
	return p, nil
}

func (p originPattern) match(o origin) bool {
	if p.null {
		return o == origin{}
	}
	return p.matchScheme(o.scheme) && p.matchHost(o.host) && p.matchPort(o)
}

func (p originPattern) matchScheme(scheme string) bool {
	if p.scheme == "" {
		return scheme == "http" || scheme == "https"
	}
	return scheme == p.scheme
}

func (p originPattern) matchHost(host string) bool {
	if p.subdomains {
		return strings.HasSuffix(host, "."+p.host)
	}
	return host == p.host
}

func (p originPattern) matchPort(o origin) bool {
	switch p.port {
	case "*":
		return true
	case "":
		return o.port == defaultPort(o.scheme)
	}
	return o.port == p.port
}

// checkOrigin returns an error if pages of the request's origin may not connect (RFC 6455 §10.2).
func checkOrigin(r *http.Request, allowed []originPattern) error {
	values := r.Header["Origin"]
	switch len(values) {
	case 0:
		return nil
	case 1:
	default:
		return fmt.Errorf("%d Origin headers: only one is allowed", len(values))
	}
	o, err := parseOrigin(values[0])
	for _, p := range allowed {
		if p.any || err == nil && p.match(o) {
			return nil
		}
	}
	if err != nil || sameOrigin(o, r) {
		return err
	}
	return fmt.Errorf("origin %.100q is not allowed to connect to host %.100q", values[0], r.Host)
}
