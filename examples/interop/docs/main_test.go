// Package docs_test runs the commands and the code that the documentation shows, in modules and
// clones made for the test. It changes ports, as another program may use 3000, and shortens what
// takes minutes.
package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

// notRun is the place of what is no command and no code: a name in a sentence, a drawing.
const notRun = "not run"

// places says where a sample is run, by page and first line, for a command by itself: a test of
// this package, "file: text" for a file that has the text, or a function to compile it in, where
// it takes the place of FRAGMENT. The functions add imports and what the reader has already; those
// in testdata/checks.go call them.
var places = map[string]map[string]string{
	"README.md": {
		"go doc -all ./middleware":                          "TestShort",
		"package main":                                      "TestInstall",
		"$ curl http://localhost:3000/":                     "TestInstall",
		"$ npx wscat -c ws://localhost:3000/ws":             "TestInstall",
		"go mod init hello":                                 "TestInstall",
		"go mod edit -replace example.com/wsecho=../wsecho": "TestInstall",
		"go mod edit -replace example.com/wsecho/adapters/gin=../wsecho/adapters/gin":               "TestInstall",
		"go mod edit -replace example.com/wsecho/adapters/prometheus=../wsecho/adapters/prometheus": "TestInstall",
		"go mod tidy":           "TestInstall",
		"go run .":              "TestInstall",
		"go run ./examples/app": "TestApp",
		"go test ./...":         ".ci/run: go test ./...",
		"ws := middleware.New(middleware.Options{Handler: middleware.MessageFunc(": `
			func messageFunc() *middleware.Middleware { FRAGMENT; return ws }`,
		`users := map[string]string{"c0ffee": "Ada"} // by session`: `
			func perConn() *middleware.Middleware { FRAGMENT; return ws }`,
		"ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)": `
			func shutdown(ws *middleware.Middleware, server *http.Server) error { FRAGMENT; return err }`,
		"ws.Handler(app)": `
			func wrap(ws *middleware.Middleware, app http.Handler) http.Handler { return FRAGMENT }`,
		"authenticate(ws.Handler(app))": `
			func inFront(
				ws *middleware.Middleware, app http.Handler,
				authenticate func(http.Handler) http.Handler,
			) http.Handler { return FRAGMENT }`,
		"chat.Handler(feed.Handler(app))": `
			func twoEndpoints(chat, feed *middleware.Middleware, app http.Handler) http.Handler {
				return FRAGMENT
			}`,
		"go -C examples/interop run ./compare -libs wsecho -rounds 3":   "TestCompare",
		"go -C examples/interop run ./compare -svg compare/compare.svg": "TestChart",
		"go test -bench Echo ./middleware":                              "TestBenchmark",
	},
	"CONTRIBUTING.md": {
		"go test ./...":                     ".ci/run: go test ./...",
		"go test -race ./...":               ".ci/run: go test -race -shuffle=on ./...",
		"go -C adapters/gin test ./...":     `.ci/run: in_dir "$dir" go test -race ./...`,
		"go -C examples/interop test ./...": `.ci/run: in_dir "$dir" go test -race ./...`,
		"go test -run '^$' -fuzz '^FuzzGuard$' -fuzztime 10000x ./middleware/internal/frame":                    "TestShort",
		"go test -run '^$' -bench PassThrough ./middleware":                                                     "TestShort",
		"git grep -lF example.com/wsecho | xargs perl -pi -e 's|\\Qexample.com/wsecho|github.com/you/wsecho|g'": "TestRename",
		"gofmt -w .": "TestRename",
		`for mod in $(git ls-files '*go.mod'); do go -C "$(dirname "$mod")" mod tidy; done`: "TestRename",
		".ci/run":           notRun, // It runs this.
		".ci/tools/go.mod":  notRun,
		"go vet":            ".ci/run: go vet ./...",
		"go mod tidy -diff": ".ci/run: go mod tidy -diff",
	},
	"SECURITY.md": {"go version": ".ci/run: go version"},
	"middleware/OPERATIONS.md": {
		`mux.Handle("chat.example.com/", ws.Handler(app)) // of an http.ServeMux, on any port`: `
			func oneHost(mux *http.ServeMux, ws *middleware.Middleware, app http.Handler) { FRAGMENT }`,
		`level=WARN msg="WebSocket log lines left out" status=403 count=1002`: `
			const leftOut = "FRAGMENT"`,
		"go -C examples/interop run ./drain -svg drain/drain.svg": "TestShort",
		"err := together(ctx, server.Shutdown, chat.Shutdown, feed.Shutdown)": `
			func several(
				ctx context.Context, server *http.Server, chat, feed *middleware.Middleware,
				together func(context.Context, ...func(context.Context) error) error,
			) error { FRAGMENT; return err }`,
		"r.Context()":                             notRun,
		"SetExpiry(time.Now())":                   "examples/cookie/main.go: c.SetExpiry(time.Now())",
		"Batched(Echo(Greeting))":                 notRun,
		"slog.Default()":                          notRun,
		"http.Server.SetKeepAlivesEnabled(false)": notRun,
		"ulimit -n":                               "TestShort",
		"Conn.Request()":                          notRun,
		"GODEBUG=http2xconnect=1 go run ./examples/app -tls -addr 127.0.0.1:8443": "examples/interop/browser/http2_test.go: GODEBUG=http2xconnect=1",
		"server.HTTP2 = &http.HTTP2Config{": `
			func configure(server *http.Server) { FRAGMENT }`,
		"go -C examples/interop test -run '^$' -bench Echo ./http2": "examples/interop/http2/bench_test.go: func BenchmarkEcho(",
		"ws.Handler(app)":           notRun,
		"ws.Shutdown(ctx)":          notRun,
		"http.Server.Shutdown(ctx)": notRun,
	},
	"examples/interop/express/README.md": {
		"ws.Handler(app)": notRun,
		`ws.on("error")`:  notRun,
	},
	"examples/interop/compare/main.go": {
		"go -C examples/interop run ./compare -quick":                   "TestCompare",
		"go -C examples/interop run ./compare":                          notRun, // It takes minutes.
		"go -C examples/interop run ./compare -svg compare/compare.svg": "TestChart",
	},
	"examples/interop/drain/main.go": {
		"go -C examples/interop run ./drain -svg drain/drain.svg": "TestShort",
	},
	"examples/proxies/nginx/nginx.conf": {
		"nginx -t && systemctl reload nginx": "examples/interop/proxies/nginx_test.go: program.Find(t, \"nginx\"",
		"nginx -s quit":                      "examples/interop/proxies/nginx_test.go: syscall.SIGQUIT",
	},
	"examples/proxies/haproxy/haproxy.cfg": {
		"haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy": "examples/interop/proxies/haproxy_test.go: syscall.SIGUSR2",
	},
	"examples/proxies/apache/wsecho.conf": {
		"a2enmod headers http2 macro proxy proxy_http ssl && a2ensite wsecho": "examples/interop/proxies/apache_test.go: mod_proxy_http.so",
		"apache2ctl configtest && systemctl reload apache2":                   "examples/interop/proxies/apache_test.go: syscall.SIGUSR1",
		"apache2ctl graceful-stop":                                            "examples/interop/proxies/apache_test.go: syscall.SIGWINCH",
	},
	"examples/proxies/caddy/Caddyfile": {
		"caddy validate --config /etc/caddy/Caddyfile && systemctl reload caddy": `examples/interop/proxies/caddy_test.go: "reload"`,
	},
	"middleware/middleware.go": {
		`ws := middleware.New(middleware.Options{Path: "/ws"})`: `
			func packageDoc(app http.Handler) { FRAGMENT }`,
	},
	"adapters/gin/gin.go": {
		"r := gin.Default()": `
			func ginMiddleware(users gin.HandlerFunc) http.Handler { FRAGMENT; return r }`,
		`r.Any("/ws", gin.WrapH(ws))`: `
			func ginRoute(r *gin.Engine, ws *middleware.Middleware) { FRAGMENT }`,
	},
	"adapters/negroni/negroni.go": {
		"n := negroni.Classic()": `
			func negroniMiddleware(app http.Handler) http.Handler { FRAGMENT; return n }`,
	},
	"adapters/prometheus/prometheus.go": {
		"metrics := wsprometheus.New()": `
			func withMetrics() *middleware.Middleware { FRAGMENT; return ws }`,
		`chat := prometheus.WrapRegistererWith(prometheus.Labels{"endpoint": "/chat"}, registry)`: `
			func labeled(registry *prometheus.Registry, metrics *wsprometheus.Metrics) { FRAGMENT }`,
		"websocket_connections_open                            gauge": `
			const listed = "FRAGMENT"`,
	},
}

var shellComment = regexp.MustCompile(`\s+(# .*)?$`)

// keys returns what places has for the sample: its commands, each a line, or its first line.
func keys(s sample) []string {
	if !command.MatchString(s.text) {
		return []string{s.first()}
	}
	var keys []string
	transcript := strings.HasPrefix(s.text, "$ ")
	for line := range strings.Lines(s.text) {
		if !transcript || strings.HasPrefix(line, "$ ") {
			keys = append(keys, shellComment.ReplaceAllString(strings.TrimRight(line, "\n"), ""))
		}
	}
	return keys
}

// Every sample has a place where it is run, which exists.
func TestPlaces(t *testing.T) {
	shown := map[string]map[string]bool{}
	for _, page := range pages(t) {
		shown[page] = map[string]bool{}
		for _, s := range samples(t, page) {
			for _, key := range keys(s) {
				shown[page][key] = true
				if _, ok := places[page][key]; !ok {
					t.Errorf("%s shows %q, which nothing runs: add it to places", page, key)
				}
			}
		}
	}
	for page, keys := range places {
		for key, place := range keys {
			if !shown[page][key] {
				t.Errorf("%s no longer shows %q", page, key)
			}
			checkPlace(t, place)
		}
	}
}

func checkPlace(t *testing.T, place string) {
	t.Helper()
	if place == notRun || strings.Contains(place, "FRAGMENT") { // See TestFragments.
		return
	}
	path, text, isFile := strings.Cut(place, ": ")
	if isFile {
		if !strings.Contains(read(t, path), text) {
			t.Errorf("%s has no %q", path, text)
		}
		return
	}
	files, _ := filepath.Glob("*_test.go")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil && strings.Contains(string(b), "func "+place+"(t ") {
			return
		}
	}
	t.Errorf("there is no %s", place)
}

// Every relative link of the pages leads to a file, and what follows "#" to a heading.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^):#]*)(#[^)]*)?\)`)
	for _, page := range pages(t) {
		if !strings.HasSuffix(page, ".md") {
			continue
		}
		for _, match := range link.FindAllStringSubmatch(read(t, page), -1) {
			target := page
			if match[1] != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(page), match[1]))
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: %v", page, err)
			} else if match[2] != "" && !hasHeading(read(t, target), match[2][1:]) {
				t.Errorf("%s: %s has no heading %s", page, target, match[2])
			}
		}
	}
}

// hasHeading reports whether the text has a heading with the anchor, which lacks its punctuation.
func hasHeading(text, anchor string) bool {
	for line := range strings.Lines(text) {
		heading := strings.ToLower(strings.Trim(strings.TrimLeft(line, "#"), " \n"))
		heading = strings.NewReplacer(" ", "-", "/", "", "?", "").Replace(heading)
		if strings.HasPrefix(line, "#") && heading == anchor {
			return true
		}
	}
	return false
}
