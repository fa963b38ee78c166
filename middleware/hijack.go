package middleware

import (
	"fmt"
	"net/http"
	"reflect"
)

// hijack switches protocols: the 101 goes out through w, so that loggers and metrics around us
// see it and the headers they have set arrive, then the connection is taken over from net/http.
func hijack(w http.ResponseWriter, r *http.Request, hs *handshake) (*transport, *refusal) {
	if !canHijack(w) {
		return nil, refusef(http.StatusInternalServerError,
			"the connection cannot be hijacked through a %T: put the WebSocket middleware "+
				"outside of whatever made it, or give it an Unwrap method", w)
	}
	hs.setHeader(w.Header(), r)
	w.WriteHeader(http.StatusSwitchingProtocols)
	controller := http.NewResponseController(w)
	_ = controller.Flush() // for writers that put WriteHeader off, as gin's does
	conn, brw, err := controller.Hijack()
	if err != nil {
		// The 101 is written and cannot be taken back. A panic has net/http drop the connection
		// instead of sending it, unless a recovery in between catches it.
		panic(fmt.Errorf("middleware: hijacking through a %T: %w", w, err))
	}
	return newTransport(conn, brw), nil
}

// canHijack reports whether Hijack can be expected to work. It has to be known before the 101
// is written, and a Hijack method is not enough: wrappers of the time before Unwrap, negroni v1
// among them, have one that fails if what they wrap has none.
func canHijack(w http.ResponseWriter) bool {
	for {
		_, hijacks := w.(http.Hijacker)
		if u, ok := w.(interface{ Unwrap() http.ResponseWriter }); ok {
			if hijacks {
				return true
			}
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
