package middleware

import (
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"time"

	"example.com/wsecho/middleware/internal/handshake"
)

// Defaults of the zero [Options].
const (
	defaultPath         = "/ws"
	defaultReadLimit    = 1 << 20
	defaultReadTimeout  = 60 * time.Second
	defaultWriteTimeout = 10 * time.Second
	defaultPingInterval = 30 * time.Second
	defaultPongTimeout  = 10 * time.Second
	defaultCloseTimeout = 5 * time.Second
	defaultMaxConns     = 65536
)

// Options configures [New]. The zero value serves [Echo] of [Greeting] at /ws to same-origin
// clients, with limits for the open internet. A negative number disables a limit.
type Options struct {
	// Path is where handshakes are intercepted. It has the meaning of a path in [http.ServeMux]:
	// "/ws" is that path alone, "/ws/" the subtree below it, "/" every path. It is compared with
	// r.URL.Path, which is decoded: "/w%73" is "/ws". A path that ServeMux would redirect, such as
	// "//ws" or "/x/../ws", never matches. If empty, it is "/ws".
	Path string

	// Handler serves each connection. If nil, it is Batched(Echo(Greeting)).
	Handler Handler

	// AllowedOrigins are patterns of the web origins (RFC 6454) whose pages may connect, in
	// addition to pages of the same origin: [scheme://]host[:port], where the host may begin with
	// "*." for its subdomains and the port may be "*" for any. "*" alone allows every origin,
	// "null" opaque ones, which browsers write as "null" or "file://". A pattern without a scheme
	// means http and https; one without a port means the default port of the scheme. Requests
	// without an Origin header do not come from a browser and are allowed. If empty, only pages of
	// the same origin may connect: that of the request's Host, and https if the request came by
	// TLS or X-Forwarded-Proto says so.
	AllowedOrigins []string

	// Subprotocols are the subprotocols that the server supports (RFC 6455 §1.9), most preferred
	// first. The first one that the client offers is selected, or none. If empty, the client's
	// first offer is selected, because browsers fail a handshake that selects none of their offers.
	Subprotocols []string

	// Compression accepts permessage-deflate (RFC 7692) if a client offers it, without context
	// takeover in either direction. Messages of less than 256 bytes are sent uncompressed. If
	// false, no message is compressed.
	Compression bool

	// ReadLimit is the largest message accepted, in bytes after decompression; a larger one
	// closes the connection with 1009. If zero, it is 1 MiB; if negative, there is no limit.
	ReadLimit int64

	// ReadTimeout is how long a client that is sending a message may take for each 256 KiB of it
	// before the connection is closed with 1008. If zero, it is 60 seconds; if negative, there is
	// no limit.
	ReadTimeout time.Duration

	// WriteTimeout is how long a client may take to accept each 256 KiB of what is sent to it. A
	// slower client may be cut, and one that accepts less than 64 KiB in this time is; one that
	// keeps the pace never is. If zero, it is 10 seconds; if negative, there is no limit.
	WriteTimeout time.Duration

	// PingInterval is the time between two pings. If zero, it is 30 seconds; if negative, no
	// pings are sent.
	PingInterval time.Duration

	// PongTimeout is how long a client may stay silent after a ping before the connection is
	// closed with 1008. Anything it sends counts as an answer. For data sent before the ping, from
	// 64 KiB to 4 MiB, the answer may take longer, at the pace of WriteTimeout, and over TLS by a
	// 16th of ReadTimeout: a record counts when it is complete. While a write waits for the client,
	// only WriteTimeout counts. If zero, it is 10 seconds; if negative, there is no limit.
	PongTimeout time.Duration

	// CloseTimeout is how long a closing handshake may take (RFC 6455 §7.1.2), from our close
	// frame to the end of the client's stream, before the connection is cut. If zero, it is 5
	// seconds; if negative, there is no limit but that of [Middleware.Shutdown].
	CloseTimeout time.Duration

	// MaxConns is the maximum number of open connections. Further handshakes are refused with 503
	// and Retry-After. If zero, it is 65,536; if negative, there is no limit.
	MaxConns int

	// MaxConnsPerClient is the maximum number of open connections of one client. Further handshakes
	// are refused with 429 and Retry-After. If zero or negative, there is no limit.
	MaxConnsPerClient int

	// Client names the client of a request for MaxConnsPerClient. An address counts without its
	// port, and for IPv6 by its /64. If nil, it is RemoteAddr, which is the proxy's behind a proxy:
	// all clients share it.
	Client func(*http.Request) string

	// MaxMessageRate is how many messages a second are read of a connection, control frames
	// included, with a burst of one second's worth. Then reading pauses, and TCP holds the client
	// back: nothing is lost. If zero or negative, there is no limit.
	MaxMessageRate float64

	// MaxAge is how old a connection may become, give or take a tenth at random. It is then closed
	// with 1001 after all that the client has sent is answered, as by [Middleware.Shutdown]. If zero
	// or negative, there is no limit.
	MaxAge time.Duration

	// Expires is asked at the handshake when the credentials of the request end. The connection is
	// then closed with 3000 (Unauthorized, of the IANA registry of close codes), and the handler
	// gets no more messages. A zero time means never. [Conn.SetExpiry] changes it. If nil,
	// connections do not expire.
	Expires func(*http.Request) time.Time

	// DrainSpread is the time over which [Middleware.Shutdown] tells the connections to close, one
	// after the other, so that clients do not come back all at once. It takes at most nine tenths of
	// the time that the context leaves. If zero or negative, all are told at once.
	DrainSpread time.Duration

	// Detach makes ServeHTTP return after the handshake. The connection is served in a goroutine
	// of its own, which needs about 6 KB less than that of net/http. On Linux without TLS, an idle
	// connection has no goroutine, and needs 4 to 7 KB, if Handler is a [MessageFunc], [Batched] or
	// [PerConn]. Outer handlers see the request end after the handshake: loggers print their line
	// when the connection begins. If false, the request lasts as long as the connection. It always
	// does over HTTP/2 and HTTP/3, where Detach has no effect.
	Detach bool

	// Hooks are called for events of connections. The zero value costs nothing.
	Hooks Hooks

	// Logger logs panics of handlers at Error; refused handshakes, protocol errors and errors of
	// handlers that close with 1011 at Warn; and the start and end of each connection at Debug;
	// never the contents of a message. Values from clients are cut at 200 bytes, and of the lines
	// at Warn with the same status or close code, 5 a second are logged and one more with the count
	// of those left out. If nil, it is [slog.Default].
	Logger *slog.Logger
}

// Validate returns the first error in o, or nil. The error names the value and the rule, as in
// `middleware: path "ws": must begin with "/"`.
func (o Options) Validate() error {
	_, err := o.terms()
	return err
}

// terms returns the terms for handshakes, or the first error in o.
func (o Options) terms() (handshake.Terms, error) {
	if err := handshake.ValidatePath(o.Path); err != nil {
		return handshake.Terms{}, fmt.Errorf("middleware: %w", err)
	}
	if math.IsNaN(o.MaxMessageRate) || math.IsInf(o.MaxMessageRate, 0) {
		return handshake.Terms{}, fmt.Errorf("middleware: message rate %v: must be finite", o.MaxMessageRate)
	}
	terms, err := handshake.NewTerms(o.AllowedOrigins, o.Subprotocols, o.Compression)
	if err != nil {
		return handshake.Terms{}, fmt.Errorf("middleware: %w", err)
	}
	return terms, nil
}

// withDefaults replaces zero values. Negative numbers stay: they disable a limit.
func (o Options) withDefaults() Options {
	setDefault(&o.Path, defaultPath)
	setDefault(&o.ReadLimit, defaultReadLimit)
	setDefault(&o.ReadTimeout, defaultReadTimeout)
	setDefault(&o.WriteTimeout, defaultWriteTimeout)
	setDefault(&o.PingInterval, defaultPingInterval)
	setDefault(&o.PongTimeout, defaultPongTimeout)
	setDefault(&o.CloseTimeout, defaultCloseTimeout)
	setDefault(&o.MaxConns, defaultMaxConns)
	setDefault(&o.MaxConnsPerClient, -1)
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
