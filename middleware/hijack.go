package middleware

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"time"
)

// hijack switches protocols: the 101 goes out through w, so that loggers and metrics around us
// see it, then the connection is taken over from net/http. If there is nobody around us, the
// transport sends it, which costs less.
func hijack(
	w http.ResponseWriter, r *http.Request, hs *handshake, writeTimeout time.Duration,
) (*transport, *refusal) {
	seen := !isServers(w)
	if seen && !canHijack(w) {
		return nil, refusef(http.StatusInternalServerError,
			"the connection cannot be hijacked through a %T: put the WebSocket middleware "+
				"outside of whatever made it, or give it an Unwrap method", w)
	}
	hs.setHeader(w.Header(), r)
	if seen {
		w.WriteHeader(http.StatusSwitchingProtocols)
		flush(w)
	}
	conn, brw, err := takeOver(w)
	if err != nil {
		// A 101 that is written cannot be taken back: a panic has net/http drop the connection,
		// unless a recovery in between catches it.
		panic(fmt.Errorf("middleware: hijacking through a %T: %w", w, err))
	}
	t := newTransport(conn, brw, writeTimeout)
	if !seen {
		t.sendResponse(w.Header())
	}
	return t, nil
}

// isServers reports whether w is net/http's own ResponseWriter, with nothing around it.
func isServers(w http.ResponseWriter) bool {
	_, hijacks := w.(http.Hijacker) // which that of http.TimeoutHandler does not
	t := reflect.TypeOf(w)
	return hijacks && t.Kind() == reflect.Pointer && t.Elem().PkgPath() == "net/http"
}

// sendResponse sends the 101 with the header fields, as net/http would.
func (t *transport) sendResponse(h http.Header) {
	b := newBuffer()
	defer b.free()
	_, _ = b.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = h.Write(b)
	_, _ = b.WriteString("\r\n")
	t.out.sendResponse(b.bytes())
}

// canHijack reports whether takeOver can be expected to work. It has to be known before the 101
// is written, and a Hijack method is not enough: those of gin, echo and negroni v1 fail or panic
// if what they wrap has none. So it is the innermost writer that counts, and nothing on the way
// to it may hide it.
func canHijack(w http.ResponseWriter) bool {
	for {
		_, hijacks := w.(http.Hijacker)
		if u, ok := w.(unwrapper); ok {
			w = u.Unwrap()
			continue
		}
		inner := embedded(w)
		if !hijacks || inner == nil {
			return hijacks
		}
		if _, ok := inner.(http.Hijacker); !ok {
			return false
		}
		w = inner
	}
}

// flush sends the 101 through writers that put WriteHeader off, as gin's. It is no loss if nobody
// can, which echo's writer has a panic for: net/http flushes when it is hijacked.
func flush(w http.ResponseWriter) {
	defer func() { _ = recover() }()
	for ; w != nil; w = inner(w) {
		if http.NewResponseController(w).Flush() == nil {
			return
		}
	}
}

// takeOver hijacks through the outermost writer whose Hijack works.
func takeOver(w http.ResponseWriter) (conn net.Conn, brw *bufio.ReadWriter, err error) {
	err = http.ErrNotSupported
	for ; w != nil; w = inner(w) {
		h, ok := w.(http.Hijacker)
		if !ok {
			continue
		}
		if conn, brw, err = tryHijack(h); err == nil {
			return conn, brw, nil
		}
	}
	return nil, nil, err
}

// tryHijack makes an error of a panic: gin's Hijack asserts that what it wraps has one too.
func tryHijack(h http.Hijacker) (conn net.Conn, brw *bufio.ReadWriter, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	return h.Hijack()
}

type unwrapper interface{ Unwrap() http.ResponseWriter }

// inner returns the ResponseWriter that w wraps, or nil.
func inner(w http.ResponseWriter) http.ResponseWriter {
	if u, ok := w.(unwrapper); ok {
		return u.Unwrap()
	}
	return embedded(w)
}

// embedded returns the http.ResponseWriter that the struct behind w embeds, or nil.
func embedded(w http.ResponseWriter) http.ResponseWriter {
	v := reflect.Indirect(reflect.ValueOf(w))
	if v.Kind() != reflect.Struct {
		return nil
	}
	field, ok := v.Type().FieldByName("ResponseWriter")
	if !ok || !field.Anonymous {
		return nil
	}
	f, err := v.FieldByIndexErr(field.Index)
	if err != nil || !f.CanInterface() {
		return nil
	}
	inner, _ := f.Interface().(http.ResponseWriter)
	return inner
}
