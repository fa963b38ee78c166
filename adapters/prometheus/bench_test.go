package wsprometheus_test

import (
	"bufio"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	wsprometheus "example.com/wsecho/adapters/prometheus"
	"example.com/wsecho/middleware"
)

// BenchmarkHooks measures the cost per message, without and with contention for the counters.
func BenchmarkHooks(b *testing.B) {
	h := wsprometheus.New().Hooks()
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h.Received(nil, text, 128)
		}
	})
	b.Run("shared", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				h.Received(nil, text, 128)
			}
		})
	})
}

// BenchmarkEcho compares the echo with and without metrics in the same run, with messages of 128
// bytes.
func BenchmarkEcho(b *testing.B) {
	for _, load := range []struct {
		name     string
		inFlight int
	}{{"one in flight", 1}, {"64 in flight", 64}} {
		for _, test := range []struct {
			name  string
			hooks middleware.Hooks
		}{{"plain", middleware.Hooks{}}, {"metrics", wsprometheus.New().Hooks()}} {
			b.Run(load.name+"/"+test.name, func(b *testing.B) {
				benchmarkEcho(b, test.hooks, load.inFlight)
			})
		}
	}
}

func benchmarkEcho(b *testing.B, hooks middleware.Hooks, inFlight int) {
	s := httptest.NewServer(middleware.New(middleware.Options{
		Handler: middleware.Batched(middleware.Echo("")),
		Hooks:   hooks,
		Logger:  slog.New(slog.DiscardHandler),
	}))
	defer s.Close()
	const size = 128
	masked := "\x81\xfe\x00\x80" + "\x00\x00\x00\x00" + strings.Repeat("a", size)
	burst := strings.Repeat(masked, inFlight)
	reply := int64(inFlight * (4 + size))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		c := dial(b, s).NetConn()
		r := bufio.NewReaderSize(c, 1<<16)
		for pb.Next() {
			if _, err := io.WriteString(c, burst); err != nil {
				b.Error(err)
				return
			}
			if _, err := io.CopyN(io.Discard, r, reply); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
