package upgrade_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// unwrapOnly is a wrapper in the style since Go 1.20.
type unwrapOnly struct {
	http.ResponseWriter
	seen func(code int)
}

func (w *unwrapOnly) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *unwrapOnly) WriteHeader(code int) {
	w.seen(code)
	w.ResponseWriter.WriteHeader(code)
}

// hijackOnly is a wrapper in the style before that, as negroni v1's.
type hijackOnly struct {
	http.ResponseWriter
	seen func(code int)
}

func (w *hijackOnly) WriteHeader(code int) {
	w.seen(code)
	w.ResponseWriter.WriteHeader(code)
}

func (w *hijackOnly) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.ResponseWriter.(http.Hijacker).Hijack()
}

// putsOff is a wrapper that sends the header with what comes next, as gin's.
type putsOff struct {
	unwrapOnly
	code int
}

func (w *putsOff) WriteHeader(code int) { w.code = code }

func (w *putsOff) Write(p []byte) (int, error) {
	w.Flush()
	return w.ResponseWriter.Write(p)
}

func (w *putsOff) Flush() { w.unwrapOnly.WriteHeader(w.code) }

// asserts is a wrapper whose methods take for granted that what it wraps has them, as gin's
// Hijack and echo's Flush.
type asserts struct{ hijackOnly }

func (w *asserts) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *asserts) Flush() { w.ResponseWriter.(http.Flusher).Flush() }

// hidesAll is a wrapper that forwards nothing but the three methods.
type hidesAll struct{ http.ResponseWriter }

// hijackFails is a wrapper whose own Hijack does not work.
type hijackFails struct{ unwrapOnly }

func (w *hijackFails) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}

// flushFails is a wrapper whose own Flush does not work.
type flushFails struct{ unwrapOnly }

func (w *flushFails) FlushError() error { return http.ErrNotSupported }

func TestWriters(t *testing.T) {
	const cannot = "the connection cannot be hijacked through a %: put the WebSocket middleware outside of whatever made it, or give it an Unwrap method\n"
	for _, test := range []struct {
		name string
		wrap func(w writer, seen func(int)) writer
		want string // the type that cannot be hijacked, empty if it can
	}{
		{"Unwrap", func(w writer, seen func(int)) writer { return &unwrapOnly{w, seen} }, ""},
		{"Hijack", func(w writer, seen func(int)) writer { return &hijackOnly{w, seen} }, ""},
		{"Unwrap over Unwrap", func(w writer, seen func(int)) writer {
			return &unwrapOnly{&unwrapOnly{w, seen}, func(int) {}}
		}, ""},
		{"Hijack over Hijack", func(w writer, seen func(int)) writer {
			return &hijackOnly{&hijackOnly{w, seen}, func(int) {}}
		}, ""},
		{"WriteHeader put off", func(w writer, seen func(int)) writer {
			return &putsOff{unwrapOnly: unwrapOnly{w, seen}}
		}, ""},
		{"Unwrap over Hijack", func(w writer, seen func(int)) writer {
			return &unwrapOnly{&hijackOnly{w, seen}, func(int) {}}
		}, ""},
		{"Hijack over Unwrap", func(w writer, seen func(int)) writer {
			return &hijackOnly{&unwrapOnly{w, seen}, func(int) {}}
		}, "*upgrade_test.hijackOnly"},
		{"Unwrap over Hijack over Unwrap", func(w writer, seen func(int)) writer {
			return &unwrapOnly{&hijackOnly{&unwrapOnly{w, seen}, func(int) {}}, func(int) {}}
		}, "*upgrade_test.unwrapOnly"},
		{"WriteHeader put off behind Hijack", func(w writer, seen func(int)) writer {
			return &hijackOnly{&struct {
				putsOff
				http.Hijacker
			}{putsOff{unwrapOnly: unwrapOnly{w, seen}}, w.(http.Hijacker)}, func(int) {}}
		}, ""},
		{"asserted Hijack", func(w writer, seen func(int)) writer {
			return &asserts{hijackOnly{&unwrapOnly{w, seen}, func(int) {}}}
		}, ""},
		{"asserted Flush", func(w writer, seen func(int)) writer {
			return &asserts{hijackOnly{&hijackOnly{w, seen}, func(int) {}}}
		}, ""},
		{"failing Hijack", func(w writer, seen func(int)) writer {
			return &hijackFails{unwrapOnly{w, seen}}
		}, ""},
		{"failing Flush over WriteHeader put off", func(w writer, seen func(int)) writer {
			return &flushFails{unwrapOnly{&putsOff{unwrapOnly: unwrapOnly{w, seen}}, func(int) {}}}
		}, ""},
		{"asserted Hijack over neither", func(w writer, seen func(int)) writer {
			return &asserts{hijackOnly{hidesAll{&unwrapOnly{w, seen}}, func(int) {}}}
		}, "*upgrade_test.asserts"},
		{"neither", func(w writer, seen func(int)) writer { return hidesAll{&unwrapOnly{w, seen}} }, "upgrade_test.hidesAll"},
		{"neither over the server's", func(w writer, seen func(int)) writer {
			return &unwrapOnly{hidesAll{w}, seen}
		}, "*upgrade_test.unwrapOnly"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var seen []int
			h := newSwitching(t, func(w writer) writer {
				return test.wrap(w, func(code int) { seen = append(seen, code) })
			})
			s, serverLog := serve(t, h)
			c := dial(t, s)
			c.send(request)
			resp := c.response()
			if test.want != "" {
				body, _ := io.ReadAll(resp.Body)
				if want := strings.Replace(cannot, "%", test.want, 1); resp.StatusCode != 500 || string(body) != want {
					t.Errorf("got %d %q, want 500 %q", resp.StatusCode, body, want)
				}
			} else {
				if resp.StatusCode != 101 || resp.Header.Get("Upgrade") != "echo" {
					t.Errorf("got %d %q", resp.StatusCode, resp.Header)
				}
				c.send("hi")
				c.want("hi")
				c.sendEnd()
				c.wantEnd()
			}
			h.wait()
			if !slices.Equal(seen, []int{resp.StatusCode}) {
				t.Errorf("status seen %d, sent %d", seen, resp.StatusCode)
			}
			if serverLog.String() != "" {
				t.Errorf("the server has logged %q", serverLog.String())
			}
		})
	}
}

// The writer of http.TimeoutHandler is net/http's, but not the server's.
func TestTimeoutHandler(t *testing.T) {
	const want = "the connection cannot be hijacked through a *http.timeoutWriter: put the WebSocket middleware outside of whatever made it, or give it an Unwrap method\n"
	for _, test := range []struct {
		name string
		wrap func(w writer) writer
		want string
	}{
		{"alone", func(w writer) writer { return w }, want},
		{"wrapped", func(w writer) writer { return &unwrapOnly{w, func(int) {}} }, strings.Replace(want, "*http.timeoutWriter", "*upgrade_test.unwrapOnly", 1)},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newSwitching(t, test.wrap)
			s, serverLog := serve(t, http.TimeoutHandler(h, patience, ""))
			c := dial(t, s)
			c.send(request)
			resp := c.response()
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != 500 || string(body) != test.want {
				t.Errorf("got %d %q, want 500 %q", resp.StatusCode, body, test.want)
			}
			h.wait()
			if serverLog.String() != "" {
				t.Errorf("the server has logged %q", serverLog.String())
			}
		})
	}
}

// A Flush that panics does not keep the 101 in a writer further in.
func TestFlushPanicsOverWriteHeaderPutOff(t *testing.T) {
	h := newSwitching(t, func(w writer) writer {
		hijacker := w.(http.Hijacker)
		delayed := &struct {
			putsOff
			http.Hijacker
		}{putsOff{unwrapOnly: unwrapOnly{w, ignore}}, hijacker}
		return &asserts{hijackOnly{&hijackOnly{delayed, ignore}, ignore}}
	})
	s, _ := serve(t, h)
	c := dial(t, s)
	c.send(request)
	c.want("HTTP/1.1 101 Switching Protocols\r\n")
}
