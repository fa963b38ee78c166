package main

import (
	"log"
	"net/http"
	"strconv"
	"time"
)

// accessLog prints a line in morgan's "dev" format at the end of every request, with the version of
// HTTP if that is another than 1.1. Credentials in the URI are masked. WebSockets are detached,
// so that their requests end with the handshake; over HTTP/2, they end with the WebSocket:
//
//	GET /users 200 0.123 ms - 23
//	CONNECT /ws 200 60123.456 ms - - HTTP/2.0
func accessLog(lines *log.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w}
		defer func() {
			ms := float64(time.Since(start)) / float64(time.Millisecond)
			// Quoting keeps control characters in the URI away from the terminal.
			uri := strconv.QuoteToASCII(maskURI(r.RequestURI))
			uri = uri[1 : len(uri)-1]
			version := ""
			if r.Proto != "HTTP/1.1" {
				version = " " + r.Proto
			}
			lines.Printf("%s %s %d %.3f ms - %s%s", r.Method, uri, rec.status, ms, rec.length(), version)
		}()
		next.ServeHTTP(rec, r)
	})
}

// A recorder records status and length. [http.ResponseController] reaches Hijack and Flush of the
// writer below through Unwrap.
type recorder struct {
	http.ResponseWriter
	status  int
	written int64
}

func (rec *recorder) WriteHeader(status int) {
	final := status >= 200 || status == http.StatusSwitchingProtocols
	if rec.status == 0 && final {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *recorder) Write(p []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(p)
	rec.written += int64(n)
	return n, err
}

func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

func (rec *recorder) length() string {
	if rec.written == 0 {
		return "-"
	}
	return strconv.FormatInt(rec.written, 10)
}
