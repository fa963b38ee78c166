package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"path"
	"time"

	"example.com/wsecho/middleware"
)

//go:embed public
var public embed.FS

// A file is a file in public, with its response headers.
type file struct {
	body        []byte
	contentType string
	etag        string
}

// routes serves the page, its assets, and /users. WebSocket handshakes do not reach it, since the
// middleware is around it. The page has a panel for the inspector, unless inspectPath is "".
func routes(o middleware.Options, inspectPath string) (http.Handler, error) {
	files, err := loadFiles(settings{o, inspectPath})
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/{$}", get(files["/index.html"].serve))
	mux.Handle("/users", get(users))
	static := get(func(w http.ResponseWriter, r *http.Request) {
		if f, ok := files[r.URL.Path]; ok {
			f.serve(w, r)
			return
		}
		files["/404.html"].notFound(w)
	})
	mux.Handle("/stylesheets/", static)
	mux.Handle("/javascripts/", static)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		files["/404.html"].notFound(w)
	})
	return secure(mux), nil
}

// settings are what the page knows of the server.
type settings struct {
	middleware.Options
	InspectPath string
}

// loadFiles returns the files in public by URL path, with the settings rendered into the page.
func loadFiles(s settings) (map[string]file, error) {
	types := map[string]string{
		".html": "text/html; charset=utf-8",
		".css":  "text/css; charset=utf-8",
		".js":   "text/javascript; charset=utf-8",
		".svg":  "image/svg+xml",
	}
	root, err := fs.Sub(public, "public")
	if err != nil {
		return nil, err
	}
	files := map[string]file{}
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(root, name)
		if err == nil && name == "index.html" {
			body, err = render(body, s)
		}
		etag := fmt.Sprintf(`"%.16x"`, sha256.Sum256(body))
		files["/"+name] = file{body, types[path.Ext(name)], etag}
		return err
	})
	return files, err
}

func render(page []byte, s settings) ([]byte, error) {
	t, err := template.New("index.html").Parse(string(page))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, s)
	return out.Bytes(), err
}

// serve answers 304 if the browser's copy is current. With no-cache, the browser asks every time,
// and so sees a newer build at once.
func (f file) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}

func (f file) notFound(w http.ResponseWriter) {
	w.Header().Set("Content-Type", f.contentType)
	w.WriteHeader(http.StatusNotFound)
	w.Write(f.body)
}

func users(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, "respond with a resource")
}

// get answers 405 to other methods. Patterns that begin with GET do not, because the pattern "/"
// matches every method and answers 404.
func get(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
			return
		}
		h(w, r)
	})
}

// secure lets pages load only from this server; 'self' includes the WebSocket endpoint.
func secure(next http.Handler) http.Handler {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
		"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if trustworthy(r) {
			// Isolation improves the resolution of the page's clock from up to a millisecond,
			// too coarse for round trips on the same machine, to microseconds.
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Cross-Origin-Embedder-Policy", "require-corp")
		}
		next.ServeHTTP(w, r)
	})
}

// trustworthy reports whether browsers honor the isolation headers, instead of warning of them.
func trustworthy(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	ip := net.ParseIP(host)
	return r.TLS != nil || host == "localhost" || ip != nil && ip.IsLoopback()
}
