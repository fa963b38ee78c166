// Package upgrade turns a ResponseWriter into a net.Conn. Over HTTP/1.1 it sends the 101 (RFC 6455
// §4.2.2) and hijacks the connection from net/http. Over HTTP/2 and HTTP/3 it sends a 200 (RFC 8441
// §5, RFC 9220 §3) and uses the stream of the request.
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

// Check returns an error if [Accept] cannot make a connection of w. The error names the type of w
// and the remedy.
func Check(w http.ResponseWriter, r *http.Request) error {
	const remedy = "put the WebSocket middleware outside of whatever made it, or give it an " +
		"Unwrap method"
	switch {
	case IsStream(r) && streamWriter(w) == nil:
		return fmt.Errorf("the %s stream cannot be reached through a %T: %s", version(r), w, remedy)
	case IsStream(r) || isServers(w) || canHijack(w):
		return nil
	}
	return fmt.Errorf("the connection cannot be hijacked through a %T: %s", w, remedy)
}

// Accept answers the handshake with the headers of w and returns the connection. [Check] must have
// accepted w and r. received is what the client has sent after its handshake. The status is set
// through w, so that loggers and metrics see it. If positive, the timeout is for sending the answer.
//
// After an error the connection cannot be used: the answer may have been sent.
func Accept(
	w http.ResponseWriter, r *http.Request, timeout time.Duration,
) (conn net.Conn, received []byte, err error) {
	if IsStream(r) {
		return openStream(w, r, timeout), nil, nil
	}
	return hijack(w, timeout)
}

// hijack sends a 101. If w is net/http's own ResponseWriter, nothing would see it, and hijack
// writes it to the connection, which is faster.
func hijack(
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
