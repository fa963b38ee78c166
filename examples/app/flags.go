package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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
	defineServer(fs, &cfg)
	defineWebSocket(fs, &cfg.ws, &prefix)
	defineInspector(fs, &cfg)

	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(stdout, usage)
			fs.SetOutput(stdout)
			fs.PrintDefaults()
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
	fs.Var(value[time.Duration]{&cfg.drain, parseDrain}, "drain",
		"on SIGINT or SIGTERM, wait up to this `duration` for connections to end")
}

func defineWebSocket(fs *flag.FlagSet, o *middleware.Options, prefix *string) {
	o.Path, o.ReadLimit, o.MaxConns, o.PingInterval = "/ws", 1<<20, 65536, 30*time.Second
	fs.Var(value[string]{&o.Path, parsePath}, "path",
		"serve WebSockets on `path`, and on all paths below if it ends in /")
	fs.Var(value[string]{prefix, parseText}, "prefix", "begin every reply with `text`")
	fs.Var(value[int64]{&o.ReadLimit, parseLimit}, "read-limit",
		"limit messages to this many `bytes`; negative: no limit")
	fs.Var(value[bool]{&o.Compression, parseBool}, "compress", "accept permessage-deflate")
	fs.Func("origin", "allow pages of origins that match `pattern`, such as\n"+
		"https://*.example.com, besides the application's own; repeatable", func(s string) error {
		o.AllowedOrigins = append(o.AllowedOrigins, s)
		return rule(s, middleware.Options{AllowedOrigins: []string{s}}.Validate())
	})
	fs.Var(value[int]{&o.MaxConns, func(s string) (int, error) {
		n, err := parseLimit(s)
		return int(n), err
	}}, "max-conns", "answer 503 beyond this `number` of WebSockets; negative: no limit")
	fs.Var(value[time.Duration]{&o.PingInterval, parseInterval}, "ping-interval",
		"ping idle clients after this `duration`; negative: never")
}

// A value is a [flag.Value] whose errors name the rule: those of flag.Duration and flag.Int are
// only "parse error".
type value[T any] struct {
	to    *T
	parse func(string) (T, error)
}

// String is also called for the zero value, with which flag compares defaults. It quotes texts, as
// flag does for its own.
func (v value[T]) String() string {
	var t T
	if v.to != nil {
		t = *v.to
	}
	if text, ok := any(t).(string); ok {
		return strconv.Quote(text)
	}
	return fmt.Sprint(t)
}

func (v value[T]) Set(s string) error {
	t, err := v.parse(s)
	if err == nil {
		*v.to = t
	}
	return err
}

// IsBoolFlag makes -tls short for -tls=true.
func (v value[T]) IsBoolFlag() bool {
	_, ok := any(v.to).(*bool)
	return ok
}

func parseBool(s string) (bool, error) {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, errors.New("must be true or false")
	}
	return b, nil
}

func parseText(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", errors.New("must be UTF-8")
	}
	return s, nil
}

func parsePath(s string) (string, error) {
	if s == "" {
		return "", errors.New(`must begin with "/"`)
	}
	return s, rule(s, middleware.Options{Path: s}.Validate())
}

// rule returns the error without what flag says too: what is wrong, with its value.
func rule(value string, err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if _, after, ok := strings.Cut(text, strconv.Quote(value)+": "); ok {
		text = after
	}
	return errors.New(text)
}

func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errors.New("must be a duration such as 30s")
	}
	return d, nil
}

func parseDrain(s string) (time.Duration, error) {
	d, err := parseDuration(s)
	if err == nil && d < 0 {
		err = errors.New("must not be negative")
	}
	return d, err
}

// errZero is for the limits, of which [middleware.Options] takes a zero for the default.
var errZero = errors.New("must not be 0; a negative one disables it")

func parseInterval(s string) (time.Duration, error) {
	d, err := parseDuration(s)
	if err == nil && d == 0 {
		err = errZero
	}
	return d, err
}

func parseLimit(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("must be a whole number of at most 64 bits")
	case err != nil:
		return 0, errors.New("must be a whole number")
	case n == 0:
		return 0, errZero
	}
	return n, nil
}
