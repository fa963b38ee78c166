package upgrade

import (
	"net/http"
	"reflect"
)

// canHijack reports whether takeOver can succeed, which must be known before the 101 is sent. A
// Hijack method is not enough: those of gin, echo and negroni v1 fail or panic if the writer they
// wrap has none. So the innermost writer must have one, and no wrapper on the way may hide it.
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
