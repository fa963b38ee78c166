package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"example.com/wsecho/middleware"
)

// nullWriter is a ResponseWriter without a cost of its own.
type nullWriter struct{ http.ResponseWriter }

// BenchmarkPassThrough shows what requests pay that are not for us, beside the bare handler.
func BenchmarkPassThrough(b *testing.B) {
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	wrapped := middleware.New(middleware.Options{}).Handler(next)
	other := httptest.NewRequest("GET", "/users", nil)
	same := httptest.NewRequest("GET", "/ws", nil)
	h2c := httptest.NewRequest("GET", "/ws", nil)
	h2c.Header = http.Header{"Connection": {"Upgrade, HTTP2-Settings"}, "Upgrade": {"h2c"}}
	for _, bench := range []struct {
		name string
		h    http.Handler
		r    *http.Request
	}{
		{"bare handler", next, other},
		{"other path", wrapped, other},
		{"same path", wrapped, same},
		{"other upgrade", wrapped, h2c},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			w := &nullWriter{}
			for b.Loop() {
				bench.h.ServeHTTP(w, bench.r)
			}
		})
	}
}

func TestPassThroughAllocatesNothing(t *testing.T) {
	h := middleware.New(middleware.Options{}).Handler(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w := &nullWriter{}
	for _, header := range []http.Header{
		{},
		{"Connection": {"keep-alive"}},
		{"Connection": {"Upgrade, HTTP2-Settings"}, "Upgrade": {"h2c"}},
	} {
		for _, path := range []string{"/users", "/ws"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Header = header
			if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }); n != 0 {
				t.Errorf("GET %s %v: %v allocations", path, header, n)
			}
		}
	}
}
