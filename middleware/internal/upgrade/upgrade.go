// Package upgrade turns a ResponseWriter into a net.Conn: it sends the 101 (RFC 6455 §4.2.2) and
// hijacks the connection from net/http.
//
// It returns the connection and the bytes that were received already. It must not know the headers
// of the handshake, or frames.
package upgrade

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"slices"
	"time"
)

// Check returns an error if the connection of w cannot be hijacked. The error names the type of w
// and the remedy.
func Check(w http.ResponseWriter) error {
	if isServers(w) || canHijack(w) {
		return nil
	}
	return fmt.Errorf("the connection cannot be hijacked through a %T: put the WebSocket "+
		"middleware outside of whatever made it, or give it an Unwrap method", w)
}

// Hijack sends a 101 with the headers of w and hijacks the connection. [Check] must have accepted
// w. received is what the client has sent after its handshake. The 101 is sent through w, so that
// loggers and metrics see it. If w is net/http's own ResponseWriter, nothing would see it, and
// Hijack writes it to the connection, which is faster; the timeout is for that write, if positive.
//
// After an error the connection cannot be used: the 101 may have been sent.
func Hijack(
	w http.ResponseWriter, timeout time.Duration,
) (conn net.Conn, received []byte, err error) {
	wrapped := !isServers(w)
	if wrapped {
		w.WriteHeader(http.StatusSwitchingProtocols)
		flush(w)
	}
	conn, brw, err := takeOver(w)
	if err != nil {
		return nil, nil, fmt.Errorf("hijacking through a %T: %w", w, err)
	}
	if !wrapped && writeHead(conn, brw.Writer, w.Header(), timeout) != nil {
		// The next read fails.
		_ = conn.Close()
	}
	received, _ = brw.Peek(brw.Reader.Buffered())
	received = slices.Clone(received)
	free(brw)
	return conn, received, nil
}

// isServers reports whether w is net/http's own ResponseWriter, not a wrapper.
func isServers(w http.ResponseWriter) bool {
	_, hijacks := w.(http.Hijacker) // that of http.TimeoutHandler does not
	t := reflect.TypeOf(w)
	return hijacks && t.Kind() == reflect.Pointer && t.Elem().PkgPath() == "net/http"
}

// bodyHeaders must not be in a 1xx response (RFC 9110 §8.6, RFC 9112 §6.1).
var bodyHeaders = map[string]bool{"Content-Length": true, "Transfer-Encoding": true}

// writeHead writes the head of the 101 as net/http would.
func writeHead(conn net.Conn, w *bufio.Writer, h http.Header, timeout time.Duration) error {
	if timeout > 0 {
		if err := conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
	}
	_, _ = w.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = h.WriteSubset(w, bodyHeaders)
	_, _ = w.WriteString("\r\n")
	return w.Flush()
}

// free releases net/http's buffers of 8 KiB, which its goroutine, our caller, still refers to.
func free(brw *bufio.ReadWriter) { *brw.Reader, *brw.Writer = bufio.Reader{}, bufio.Writer{} }

// flush sends the 101 through writers that delay WriteHeader, such as gin's. It is best effort:
// echo's writer panics if the writer it wraps cannot flush, and net/http flushes on Hijack anyway.
func flush(w http.ResponseWriter) {
	for w != nil && !tryFlush(w) {
		w = inner(w)
	}
}

func tryFlush(w http.ResponseWriter) (flushed bool) {
	defer func() { _ = recover() }()
	return http.NewResponseController(w).Flush() == nil
}

// takeOver hijacks through the outermost writer whose Hijack succeeds.
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

// tryHijack returns a panic as an error: gin's Hijack panics if the writer it wraps has none.
func tryHijack(h http.Hijacker) (conn net.Conn, brw *bufio.ReadWriter, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	return h.Hijack()
}
