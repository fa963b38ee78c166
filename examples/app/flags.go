package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"example.com/wsecho/middleware"
)

const usage = `Usage: app [flags]

Serves a page with an echo console, and the WebSocket endpoint it talks to.
The environment variable PORT is a port number to listen on, or the path of
a Unix socket, with a slash; without it, the port is 3000. With
GODEBUG=http2xconnect=1, browsers use HTTP/2 for WebSockets too.

`

type config struct {
	addr  address
	debug *address // nil: no debug listener
	ws    middleware.Options
	tls   bool
	h2c   bool
	quiet bool
	drain time.Duration

	xconnect bool // WebSockets over HTTP/2 are announced

	inspect     string // "auto", "on" or "off"
	credentials bool   // are shown by the inspector
}

// parse parses the command line, and PORT if -addr is not given. It writes help to stdout and
// returns every other error as one line.
func parse(args []string, getenv func(string) string, stdout io.Writer) (config, error) {
	cfg := config{drain: 10 * time.Second, inspect: "auto"}
	prefix := middleware.Greeting
	fs := flag.NewFlagSet("app", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	groups := defineGroups(&cfg, &prefix)
	for _, g := range groups {
		g.VisitAll(func(f *flag.Flag) { fs.Var(f.Value, f.Name, f.Usage) })
	}

	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(stdout, usage)
			printGroups(stdout, groups)
		}
		return config{}, err
	}
	if fs.NArg() > 0 {
		return config{}, fmt.Errorf("unexpected argument %q: there are only flags", fs.Arg(0))
	}
	if cfg.tls && cfg.h2c {
		return config{}, errors.New("-h2c is HTTP/2 without TLS: leave out -tls, or -h2c")
	}
	cfg.xconnect = strings.Contains(getenv("GODEBUG"), xconnect) // as net/http reads it
	if cfg.addr == (address{}) {
		addr, err := parsePort(getenv("PORT"))
		if err != nil {
			return config{}, err
		}
		cfg.addr = addr
	}
	cfg.ws.Detach = true
	cfg.ws.Handler = middleware.Batched(middleware.Echo(prefix))
	return cfg, nil
}

// defineGroups returns the flags in the groups that the help has, each with its heading as name.
func defineGroups(cfg *config, prefix *string) []*flag.FlagSet {
	group := func(heading string, define func(fs *flag.FlagSet)) *flag.FlagSet {
		fs := flag.NewFlagSet(heading, flag.ContinueOnError)
		define(fs)
		return fs
	}
	return []*flag.FlagSet{
		group("The server", func(fs *flag.FlagSet) { defineServer(fs, cfg) }),
		group("The endpoint", func(fs *flag.FlagSet) { defineEndpoint(fs, &cfg.ws, prefix) }),
		group("Who may connect", func(fs *flag.FlagSet) { defineAdmission(fs, &cfg.ws) }),
		group("A connection", func(fs *flag.FlagSet) { defineConnection(fs, &cfg.ws) }),
		group("The end", func(fs *flag.FlagSet) { defineEnd(fs, cfg) }),
		group("The inspector", func(fs *flag.FlagSet) { defineInspector(fs, cfg) }),
	}
}

func printGroups(w io.Writer, groups []*flag.FlagSet) {
	for i, g := range groups {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s:\n", g.Name())
		g.SetOutput(w)
		g.PrintDefaults()
	}
}

func defineServer(fs *flag.FlagSet, cfg *config) {
	fs.Func("addr", "listen on `host:port` instead of PORT", func(s string) error {
		addr, err := parseAddr(s)
		cfg.addr = addr
		return err
	})
	fs.Func("debug-addr", "serve net/http/pprof and expvar on `host:port`;\n"+
		"without a host, on 127.0.0.1", func(s string) error {
		addr, err := parseAddr(s)
		addr.host = cmp.Or(addr.host, "127.0.0.1") // Profiles are not for the network.
		cfg.debug = &addr
		return err
	})
	fs.Var(value[bool]{&cfg.tls, parseBool}, "tls",
		"serve HTTPS with a new self-signed certificate")
	fs.Var(value[bool]{&cfg.h2c, parseBool}, "h2c", "serve HTTP/2 without TLS, besides HTTP/1.1")
	fs.Var(value[bool]{&cfg.quiet, parseBool}, "quiet", "disable the access log")
}

func defineEndpoint(fs *flag.FlagSet, o *middleware.Options, prefix *string) {
	o.Path = "/ws"
	fs.Var(value[string]{&o.Path, parsePath}, "path",
		"serve WebSockets on `path`, and on all paths below if it ends in /")
	fs.Var(value[string]{prefix, parseText}, "prefix", "begin every reply with `text`")
	fs.Var(value[bool]{&o.Compression, parseBool}, "compress", "accept permessage-deflate")
}

func defineAdmission(fs *flag.FlagSet, o *middleware.Options) {
	o.MaxConns = 65536
	fs.Func("origin", "allow pages of origins that match `pattern`, such as\n"+
		"https://*.example.com, besides the application's own; repeatable", func(s string) error {
		o.AllowedOrigins = append(o.AllowedOrigins, s)
		return rule(s, middleware.Options{AllowedOrigins: []string{s}}.Validate())
	})
	fs.Var(value[int]{&o.MaxConns, func(s string) (int, error) {
		n, err := parseLimit(s)
		return int(n), err
	}}, "max-conns", "answer 503 beyond this `number` of WebSockets; negative: no limit")
	fs.Var(value[int]{&o.MaxConnsPerClient, parseCount}, "max-conns-per-client",
		"answer 429 beyond this `number` of WebSockets of one address,\n"+
			"for IPv6 of one /64; 0: no limit")
	fs.BoolFunc("behind-proxy", "take the address of a client from the last entry of\n"+
		"X-Forwarded-For, which the proxy in front must add", func(s string) error {
		behind, err := parseBool(s)
		if o.Client = nil; behind {
			o.Client = forwardedFor
		}
		return err
	})
}

// forwardedFor returns the address from which the proxy was called: the last one of the header.
// Those before it are what the client says. Who circumvents the proxy is "".
func forwardedFor(r *http.Request) string {
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	return strings.TrimSpace(hops[len(hops)-1])
}

func defineConnection(fs *flag.FlagSet, o *middleware.Options) {
	o.ReadLimit, o.PingInterval = 1<<20, 30*time.Second
	fs.Var(value[int64]{&o.ReadLimit, parseLimit}, "read-limit",
		"limit messages to this many `bytes`; negative: no limit")
	fs.Var(value[float64]{&o.MaxMessageRate, parseRate}, "max-message-rate",
		"read at most this `number` of messages a second of each WebSocket,\n"+
			"the others later; 0: no limit")
	fs.Var(value[time.Duration]{&o.PingInterval, parseInterval}, "ping-interval",
		"ping idle clients after this `duration`; negative: never")
	fs.Var(value[time.Duration]{&o.MaxAge, parseSpan}, "max-age",
		"close WebSockets with 1001 at this age, a `duration`, give or take a\n"+
			"tenth; 0: never")
	fs.Var(expiry{o, new(time.Duration)}, "expires",
		"close WebSockets with 3000 after this `duration`, as if their\n"+
			"credentials had ended; 0: never")
}

// expiry is the flag for [middleware.Options.Expires].
type expiry struct {
	o     *middleware.Options
	after *time.Duration
}

func (e expiry) String() string { return value[time.Duration]{to: e.after}.String() }

func (e expiry) Set(s string) error {
	after, err := parseSpan(s)
	if err != nil {
		return err
	}
	*e.after = after
	if e.o.Expires = nil; after > 0 {
		e.o.Expires = func(*http.Request) time.Time { return time.Now().Add(after) }
	}
	return nil
}

func defineEnd(fs *flag.FlagSet, cfg *config) {
	fs.Var(value[time.Duration]{&cfg.drain, parseSpan}, "drain",
		"on SIGINT or SIGTERM, wait up to this `duration` for connections to\nend; 0: cut them")
	fs.Var(value[time.Duration]{&cfg.ws.DrainSpread, parseSpan}, "drain-spread",
		"close WebSockets one after the other over this `duration`, or most of\n"+
			"that of -drain; 0: all at once")
}
