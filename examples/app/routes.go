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

// A file is one of public, ready to be served.
type file struct {
	body        []byte
	contentType string
	etag        string
}

// routes serves the page, what it needs, and /users. It never sees a WebSocket: those are the
// middleware's, which is around it.
func routes(o middleware.Options) (http.Handler, error) {
	files, err := loadFiles(o)
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

// loadFiles reads public by URL path, and tells the page where the endpoint is.
func loadFiles(o middleware.Options) (map[string]file, error) {
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
			body, err = render(body, o)
		}
		etag := fmt.Sprintf(`"%.16x"`, sha256.Sum256(body))
		files["/"+name] = file{body, types[path.Ext(name)], etag}
		return err
	})
	return files, err
}

func render(page []byte, o middleware.Options) ([]byte, error) {
	t, err := template.New("index.html").Parse(string(page))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, o)
	return out.Bytes(), err
}

// serve answers 304 where the browser's copy is still good, which it asks for every time: a
// newer build is seen at once.
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

// get refuses other methods by name. The mux would do so by itself, for patterns that begin
// with GET, but for "/", which takes every method and turns a 405 into a 404.
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

// secure lets pages load what is ours and nothing else; 'self' is the WebSocket endpoint too.
func secure(next http.Handler) http.Handler {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
		"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if trustworthy(r) {
			// An isolated page gets a clock of some microseconds, where others get one of up
			// to a millisecond: too coarse for round trips on the same machine.
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Cross-Origin-Embedder-Policy", "require-corp")
		}
		next.ServeHTTP(w, r)
	})
}

// trustworthy tells whether a browser heeds the isolation headers, rather than complain.
func trustworthy(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	ip := net.ParseIP(host)
	return r.TLS != nil || host == "localhost" || ip != nil && ip.IsLoopback()
}
