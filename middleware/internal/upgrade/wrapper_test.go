package upgrade_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"example.com/wsecho/middleware/internal/upgrade"
)

// calls is a ResponseWriter, without Hijack and Flush, that notes what is called.
type calls struct{ list []string }

func (w *calls) note(format string, args ...any) {
	w.list = append(w.list, fmt.Sprintf(format, args...))
}

func (w *calls) Header() http.Header {
	w.note("Header")
	return http.Header{}
}

func (w *calls) Write(p []byte) (int, error) {
	w.note("Write %q", p)
	return len(p), nil
}

func (w *calls) WriteHeader(code int) { w.note("WriteHeader %d", code) }

// base is a ResponseWriter like the server's: it flushes and hijacks, and wraps nothing.
type base struct {
	*calls
	err error // of Hijack
}

func (w *base) Flush() { w.note("Flush") }

func (w *base) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.note("Hijack")
	return nil, nil, w.err
}

// panics is a base whose methods panic.
type panics struct{ *base }

func (w *panics) Flush() {
	w.base.Flush()
	panic("cannot flush")
}

func (w *panics) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	_, _, _ = w.base.Hijack()
	panic("cannot hijack")
}

// function is a base that is no struct.
type function func() *base

func (f function) Header() http.Header                          { return f().Header() }
func (f function) Write(p []byte) (int, error)                  { return f().Write(p) }
func (f function) WriteHeader(code int)                         { f().WriteHeader(code) }
func (f function) Hijack() (net.Conn, *bufio.ReadWriter, error) { return f().Hijack() }

// Structs of several shapes. ResponseWriter is wider than net/http's, as gin's.
type (
	ResponseWriter interface {
		http.ResponseWriter
		http.Hijacker
	}
	wide struct{ ResponseWriter }

	deep struct{ *hijackOnly }

	named struct { // The field is not embedded.
		*base
		ResponseWriter http.ResponseWriter
	}

	spare struct { // The ResponseWriter is behind a nil pointer.
		*base
		*nothing
	}
	nothing struct{ hidesAll }
)

func ignore(int) {}

// Check goes by what the writers are made of. It calls none of their methods but Unwrap.
func TestCheck(t *testing.T) {
	const cannot = "the connection cannot be hijacked through a %s: put the WebSocket middleware outside of whatever made it, or give it an Unwrap method"
	type ResponseWriter struct{}
	type misnamed struct { // What it embeds has the name only.
		*base
		ResponseWriter
	}
	for _, test := range []struct {
		name string
		wrap func(plain *calls, hijacks *base) writer
		want string // the type that cannot be hijacked, empty if it can
	}{
		{"Hijack", func(_ *calls, b *base) writer { return b }, ""},
		{"Hijack, no struct", func(_ *calls, b *base) writer { return function(func() *base { return b }) }, ""},
		{"no Hijack", func(c *calls, _ *base) writer { return c }, "*upgrade_test.calls"},
		{"Unwrap to nil", func(*calls, *base) writer { return &unwrapOnly{nil, ignore} }, "*upgrade_test.unwrapOnly"},
		{"Unwrap to no Hijack", func(c *calls, _ *base) writer { return &unwrapOnly{c, ignore} }, "*upgrade_test.unwrapOnly"},
		{"Hijack, Unwrap to no Hijack", func(c *calls, _ *base) writer { return &asserts{hijackOnly{c, ignore}} }, "*upgrade_test.asserts"},
		{"embedded", func(_ *calls, b *base) writer { return &hijackOnly{b, ignore} }, ""},
		{"embedded without Hijack", func(c *calls, _ *base) writer { return &hijackOnly{c, ignore} }, "*upgrade_test.hijackOnly"},
		{"embedded, without Hijack outside", func(_ *calls, b *base) writer { return hidesAll{b} }, "upgrade_test.hidesAll"},
		{"embedded wider interface", func(_ *calls, b *base) writer { return wide{b} }, ""},
		{"embedded wider interface over neither", func(c *calls, _ *base) writer { return wide{&asserts{hijackOnly{c, ignore}}} }, "upgrade_test.wide"},
		{"embedded deep", func(_ *calls, b *base) writer { return deep{&hijackOnly{b, ignore}} }, ""},
		{"embedded deep without Hijack", func(c *calls, _ *base) writer { return deep{&hijackOnly{c, ignore}} }, "upgrade_test.deep"},
		{"embedded behind a nil pointer", func(_ *calls, b *base) writer { return spare{base: b} }, ""},
		{"not embedded", func(c *calls, b *base) writer { return &named{b, c} }, ""},
		{"embedded, misnamed", func(_ *calls, b *base) writer { return &misnamed{base: b} }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := ""
			if test.want != "" {
				want = fmt.Sprintf(cannot, test.want)
			}
			called := &calls{}
			w := test.wrap(called, &base{called, nil})
			got := ""
			if err := upgrade.Check(w, httptest.NewRequest("GET", "/", nil)); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if len(called.list) > 0 {
				t.Errorf("called: %q", called.list)
			}
		})
	}
}

// Accept tries all writers from the outermost in, and touches none of them after the last error.
func TestHijackErrors(t *testing.T) {
	broken := errors.New("broken")
	type list = []string
	for _, test := range []struct {
		name  string
		wrap  func(plain *calls, broken *base) writer
		want  string
		cause error // wrapped, if any
		calls list
	}{
		{"no Hijack", func(c *calls, _ *base) writer { return c }, "hijacking through a *upgrade_test.calls: feature not supported", http.ErrNotSupported, list{"WriteHeader 101"}},
		{"Hijack fails", func(_ *calls, b *base) writer { return b }, "hijacking through a *upgrade_test.base: broken", broken, list{"WriteHeader 101", "Flush", "Hijack"}},
		{"all panic", func(_ *calls, b *base) writer { return &panics{b} }, "hijacking through a *upgrade_test.panics: cannot hijack", nil, list{"WriteHeader 101", "Flush", "Hijack"}},
		{"asserted over neither", func(c *calls, _ *base) writer { return &asserts{hijackOnly{c, ignore}} }, "hijacking through a *upgrade_test.asserts: interface conversion: *upgrade_test.calls is not http.Hijacker: missing method Hijack", nil, list{"WriteHeader 101"}},
		{"Unwrap", func(_ *calls, b *base) writer { return &unwrapOnly{b, ignore} }, "hijacking through a *upgrade_test.unwrapOnly: broken", broken, list{"WriteHeader 101", "Flush", "Hijack"}},
		{"all Hijacks fail", func(_ *calls, b *base) writer { return &hijackFails{unwrapOnly{b, ignore}} }, "hijacking through a *upgrade_test.hijackFails: broken", broken, list{"WriteHeader 101", "Flush", "Hijack"}},
		{"one panic, twice", func(_ *calls, b *base) writer { return &hijackOnly{&panics{b}, ignore} }, "hijacking through a *upgrade_test.hijackOnly: cannot hijack", nil, list{"WriteHeader 101", "Flush", "Hijack", "Hijack"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			called := &calls{}
			w := test.wrap(called, &base{called, broken})
			r := httptest.NewRequest("GET", "/", nil)
			conn, received, err := upgrade.Accept(w, r, patience)
			if conn != nil || received != nil {
				t.Errorf("got %v, %q", conn, received)
			}
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if test.cause != nil && !errors.Is(err, test.cause) {
				t.Errorf("%v does not wrap %v", err, test.cause)
			}
			if !slices.Equal(called.list, test.calls) {
				t.Errorf("called: %q, want %q", called.list, test.calls)
			}
		})
	}
}
