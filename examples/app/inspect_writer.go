package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"
)

// A watchedWriter notes what a Conn does not tell: the extensions, and how to cut the connection.
type watchedWriter struct {
	http.ResponseWriter
	s *inspection
}

func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *watchedWriter) WriteHeader(status int) {
	w.s.extensions = w.Header().Get("Sec-WebSocket-Extensions")
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.s.cutConn = func() error { return cut(conn) }
	}
	return conn, rw, err
}

// cut closes the socket. What TLS has to say at an end is not sent.
func cut(conn net.Conn) error {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	return conn.Close()
}

// cutStream resets a stream of HTTP/2 or HTTP/3, for which its deadlines are final.
func cutStream(w http.ResponseWriter) error {
	stream, past := http.NewResponseController(w), time.Unix(1, 0)
	return errors.Join(stream.SetWriteDeadline(past), stream.SetReadDeadline(past))
}
