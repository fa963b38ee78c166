package upgrade

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"example.com/wsecho/middleware/internal/stream"
)

// IsStream reports whether the connection of the request has other streams, too: it cannot be
// hijacked, and a connection that [Accept] returns ends when the handler returns.
func IsStream(r *http.Request) bool { return r.ProtoMajor >= 2 }

// Wait closes conn, which [Accept] has returned, if it ends when the handler returns, and waits
// until nothing uses the ResponseWriter.
func Wait(conn net.Conn) {
	if s, ok := conn.(*stream.Conn); ok {
		s.Wait()
	}
}

func version(r *http.Request) string { return fmt.Sprintf("HTTP/%d", r.ProtoMajor) }

// streamHeaders must not be in the answer. Those of the connection belong to HTTP/1.1 (RFC 9113
// §8.2.2). The others describe a body, which a 2xx to CONNECT does not have (RFC 9110 §9.3.6): what
// compresses bodies, or announces compressed ones, has set them.
var streamHeaders = [...]string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Upgrade",
	"Content-Encoding", "Content-Length", "Content-Type", "Trailer", "Transfer-Encoding",
}

// openStream sends a 200. Bytes are written to the ResponseWriter of the server, because a wrapper
// might compress them.
func openStream(w http.ResponseWriter, r *http.Request, timeout time.Duration) net.Conn {
	server := streamWriter(w)
	// A wrapper that has announced compressed data will end it, when the handler has returned.
	// Browsers take bytes behind a close frame for a violation of the protocol.
	compressed := isCompressed(w.Header())
	removeHeaders(w.Header())
	w.WriteHeader(http.StatusOK)
	compressed = compressed || isCompressed(server.Header()) // Some announce it with the status.
	removeHeaders(server.Header())
	server.WriteHeader(http.StatusOK) // if a wrapper has put it off
	conn := stream.New(server, r)
	if compressed {
		conn.EndWithReset()
	}
	if timeout > 0 {
		_ = conn.SetWriteDeadline(time.Now().Add(timeout))
	}
	if conn.Flush() != nil {
		_ = conn.Close() // The next read fails.
	}
	return conn
}

func isCompressed(h http.Header) bool { return len(h["Content-Encoding"]) > 0 }

func removeHeaders(h http.Header) {
	for _, name := range streamHeaders {
		delete(h, name)
	}
}

// streamWriter returns the ResponseWriter of the server, or nil if a wrapper hides it. Wrappers
// rarely have all its methods, and those that do have Unwrap.
func streamWriter(w http.ResponseWriter) stream.Writer {
	for next := inner(w); next != nil; next = inner(w) {
		w = next
	}
	server, _ := w.(stream.Writer)
	return server
}
