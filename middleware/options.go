package middleware

import (
	"fmt"
	"log/slog"
	"path"
	"strings"
	"time"

	"example.com/wsecho/middleware/internal/handshake"
)

// Defaults of the zero [Options].
const (
	defaultPath         = "/ws"
	defaultReadLimit    = 1 << 20
	defaultWriteTimeout = 10 * time.Second
	defaultPingInterval = 30 * time.Second
	defaultPongTimeout  = 10 * time.Second
	defaultCloseTimeout = 5 * time.Second
	defaultMaxConns     = 65536
)

// Options configures [New]. The zero value serves [Echo] of [Greeting] at /ws to same-origin
// clients, within limits that suit the open internet. A negative number switches a limit off.
type Options struct {
	// Path is where handshakes are intercepted, with the meaning of one [http.ServeMux] path:
	// "/ws" is that path alone, "/ws/" the subtree below it, "/" every path. It is compared with
	// r.URL.Path, which net/http has decoded: "/w%73" is "/ws". A path that ServeMux would
	// redirect, as "//ws" or "/x/../ws", never matches. If empty, it is "/ws".
	Path string

	// Handler serves each connection. If nil, it is Batched(Echo(Greeting)).
	Handler Handler

	// AllowedOrigins are the patterns of the web origins (RFC 6454) whose pages may connect, in
	// addition to the origin that the request itself was sent to: [scheme://]host[:port], the
	// host with an optional leading "*." for its subdomains, the port "*" for any. "*" alone
	// allows every origin, "null" the opaque ones. A pattern without a scheme means http and
	// https; one without a port means the scheme's own. Requests without an Origin header do
	// not come from a browser and are allowed. If empty, pages of the same origin are allowed:
	// of the request's Host, and of https if the request came by TLS or X-Forwarded-Proto says so.
	AllowedOrigins []string

	// Subprotocols are the subprotocols spoken here (RFC 6455 §1.9), most preferred first; the
	// first one that the client offers is taken, and none if it offers none of them. If empty,
	// the client's first offer is taken, because browsers fail a handshake whose offers are all
	// ignored.
	Subprotocols []string

	// Compression accepts permessage-deflate (RFC 7692) where a client offers it, without
	// context takeover in either direction; messages of less than 256 bytes are sent as they are.
	// If false, all messages travel as they are.
	Compression bool

	// ReadLimit is the largest message accepted, in bytes after decompression; a larger one
	// closes the connection with 1009. If zero, it is 1 MiB; if negative, there is none.
	ReadLimit int64

	// WriteTimeout is how long a client may take to accept each 256 KiB of what is sent to it
	// before the connection is cut, give or take a quarter. If zero, it is 10 seconds; if negative, there is none.
	WriteTimeout time.Duration

	// PingInterval is the time between two pings. If zero, it is 30 seconds; if negative, no
	// pings are sent.
	PingInterval time.Duration

	// PongTimeout is how long a client may stay silent after a ping before the connection is
	// closed with 1008; whatever it sends counts as an answer. If zero, it is 10 seconds; if
	// negative, answers are not waited for.
	PongTimeout time.Duration

	// CloseTimeout is how long a closing handshake may take (RFC 6455 §7.1.2), from the close
	// frame sent to the end of the client's stream, before the connection is cut. If zero, it is
	// 5 seconds; if negative, there is no limit but that of [Middleware.Shutdown].
	CloseTimeout time.Duration

	// MaxConns is how many connections may be open at a time; handshakes beyond get 503 with
	// Retry-After. If zero, it is 65,536; if negative, there is no limit.
	MaxConns int

	// Detach has ServeHTTP return once the handshake is answered, and the connection served in a
	// goroutine of its own, which needs some 6 KB less than that of net/http. On Linux, and
	// without TLS, an idle connection of a [MessageFunc] has no goroutine at all, and needs half
	// of what is left. For the layers outside the request is over after the handshake: loggers
	// print their line when the connection begins. If false, the request lasts as long as the
	// connection.
	Detach bool

	// Hooks are told what happens to connections. The zero value costs nothing.
	Hooks Hooks

	// Logger gets refused handshakes and protocol errors at Warn, panics of handlers at Error,
	// and at Debug each connection's begin and end; never the contents of a message. If nil, it
	// is [slog.Default].
	Logger *slog.Logger
}

// Validate returns the first error in o, or nil: an error names the value and the rule, as
// in `middleware: path "ws": must begin with "/"`.
func (o Options) Validate() error {
	_, err := o.terms()
	return err
}

// terms returns what handshakes are judged by, or the first error in o.
func (o Options) terms() (handshake.Terms, error) {
	if err := validatePath(o.Path); err != nil {
		return handshake.Terms{}, fmt.Errorf("middleware: %w", err)
	}
	terms, err := handshake.NewTerms(o.AllowedOrigins, o.Subprotocols, o.Compression)
	if err != nil {
		return handshake.Terms{}, fmt.Errorf("middleware: %w", err)
	}
	return terms, nil
}

func validatePath(p string) error {
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

// withDefaults replaces what is zero; negative numbers stay as the mark of "no limit".
func (o Options) withDefaults() Options {
	setDefault(&o.Path, defaultPath)
	setDefault(&o.ReadLimit, defaultReadLimit)
	setDefault(&o.WriteTimeout, defaultWriteTimeout)
	setDefault(&o.PingInterval, defaultPingInterval)
	setDefault(&o.PongTimeout, defaultPongTimeout)
	setDefault(&o.CloseTimeout, defaultCloseTimeout)
	setDefault(&o.MaxConns, defaultMaxConns)
	if o.Handler == nil {
		o.Handler = Batched(Echo(Greeting))
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// matchPath reports whether p is the path or in the subtree that pattern stands for.
func matchPath(pattern, p string) bool {
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
