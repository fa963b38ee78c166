// Package upgrade gets from a ResponseWriter to the connection behind it: it switches protocols
// with a 101 and takes the connection over from net/http (RFC 6455 §4.2.2).
//
// What it hands on is a net.Conn and the bytes that have been received already. It must not know
// what the headers of the handshake say, nor anything of frames.
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

// Check returns an error if the connection behind w cannot be hijacked. It names the type of w and
// the remedy.
func Check(w http.ResponseWriter) error {
	if isServers(w) || canHijack(w) {
		return nil
	}
	return fmt.Errorf("the connection cannot be hijacked through a %T: put the WebSocket middleware "+
		"outside of whatever made it, or give it an Unwrap method", w)
}

// Hijack sends a 101 with the headers of w, which [Check] has accepted, and takes over the
// connection. It returns what the client has sent behind its handshake as received. The 101 goes
// out through w, so that loggers and metrics around us see it; if nothing wraps net/http's own
// ResponseWriter, it is written to the connection, which costs less. The timeout is for that, if
// it is positive.
//
// After an error the connection is of no use: a 101 that is written cannot be taken back.
func Hijack(w http.ResponseWriter, timeout time.Duration) (conn net.Conn, received []byte, err error) {
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
		// Whoever reads from it finds out.
		_ = conn.Close()
	}
	received, _ = brw.Peek(brw.Reader.Buffered())
	received = slices.Clone(received)
	free(brw)
	return conn, received, nil
}

// isServers reports whether w is net/http's own ResponseWriter, with nothing around it.
func isServers(w http.ResponseWriter) bool {
	_, hijacks := w.(http.Hijacker) // which that of http.TimeoutHandler does not
	t := reflect.TypeOf(w)
	return hijacks && t.Kind() == reflect.Pointer && t.Elem().PkgPath() == "net/http"
}

// writeHead writes the head of the 101 as net/http would.
func writeHead(conn net.Conn, w *bufio.Writer, h http.Header, timeout time.Duration) error {
	if timeout > 0 {
		if err := conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
	}
	_, _ = w.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = h.Write(w)
	_, _ = w.WriteString("\r\n")
	return w.Flush()
}

// free gives up net/http's buffers of 8 KiB, which otherwise live as long as its goroutine does,
// on whose stack we are.
func free(brw *bufio.ReadWriter) { *brw.Reader, *brw.Writer = bufio.Reader{}, bufio.Writer{} }

// flush sends the 101 through writers that put WriteHeader off, as gin's. It is best effort:
// echo's writer panics if the writer it wraps cannot flush, and net/http flushes on Hijack anyway.
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
