package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"example.com/wsecho/middleware"
)

// A report is what an inspector sends for a message of the client, and every so often.
type report struct {
	Event     string    `json:"event"` // "message" or "push"
	Number    int       `json:"number"`
	Type      string    `json:"type,omitempty"` // of the message: "text" or "binary"
	Size      *int64    `json:"size,omitempty"` // of the message, in bytes after decompression
	Time      time.Time `json:"time"`
	Age       float64   `json:"ageMs"`       // of the connection
	RoundTrip *float64  `json:"roundTripMs"` // of the last ping; null if there is none yet
}

func (s *inspection) report(event string, number int) report {
	now := time.Now()
	r := report{Event: event, Number: number, Time: now.UTC(), Age: ms(now.Sub(s.began))}
	if rtt := time.Duration(s.roundTrip.Load()); rtt > 0 {
		r.RoundTrip = new(float64)
		*r.RoundTrip = ms(rtt)
	}
	return r
}

func (r report) text() []byte {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // All of its types can be marshaled.
	}
	return text
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// resize cuts text, which is ASCII, or adds spaces, which JSON allows at the end.
func (s *inspection) resize(text []byte) []byte {
	if !s.sized {
		return text
	}
	resized := make([]byte, s.size)
	for i := copy(resized, text); i < s.size; i++ {
		resized[i] = ' '
	}
	return resized
}

// A handshakeReport is the first message of an inspector. Values are as they arrived, but for
// credentials.
type handshakeReport struct {
	Event      string           `json:"event"` // "handshake"
	Time       time.Time        `json:"time"`
	Request    requestReport    `json:"request"`
	Negotiated negotiatedReport `json:"negotiated"`
	Server     serverReport     `json:"server"`
}

type requestReport struct {
	Method        string      `json:"method"`
	Path          string      `json:"path"`
	Query         string      `json:"query"`
	Host          string      `json:"host"`
	Headers       http.Header `json:"headers"` // in order of names
	RemoteAddress string      `json:"remoteAddress"`
	LocalAddress  string      `json:"localAddress"`
	TLS           *tlsReport  `json:"tls"` // null: without TLS
}

type tlsReport struct {
	Version string `json:"version"`
	ALPN    string `json:"alpn"`
	SNI     string `json:"sni"`
}

type negotiatedReport struct {
	HTTPVersion string `json:"httpVersion"`
	Subprotocol string `json:"subprotocol"`
	Extensions  string `json:"extensions"`
}

type serverReport struct {
	Hostname string `json:"hostname"`
	Version  string `json:"version"`
	Go       string `json:"go"`
	Pings    string `json:"pings"` // how often, or "off"
}

// handshake returns the handshake in several lines, as it is read by people.
func (s *inspection) handshake(c *middleware.Conn) []byte {
	r := c.Request()
	mask := masker{off: s.in.credentials}
	headers := mask.headers(r.Header)
	h := handshakeReport{
		Event: "handshake",
		Time:  s.began.UTC(),
		Request: requestReport{
			Method: r.Method, Path: r.URL.EscapedPath(), Query: mask.query(r.URL.RawQuery),
			Host: r.Host, Headers: headers,
			RemoteAddress: r.RemoteAddr, LocalAddress: localAddress(r.Context()),
			TLS: reportTLS(r.TLS),
		},
		Negotiated: negotiatedReport{
			HTTPVersion: fmt.Sprintf("%d.%d", r.ProtoMajor, r.ProtoMinor),
			Subprotocol: mask.selected(c.Subprotocol(), r.Header),
			Extensions:  s.extensions,
		},
		Server: s.reportServer(),
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // An & stays legible.
	e.SetIndent("", "  ")
	if err := e.Encode(h); err != nil {
		panic(err) // All of its types can be marshaled.
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

func localAddress(ctx context.Context) string {
	if addr, ok := ctx.Value(http.LocalAddrContextKey).(net.Addr); ok {
		return addr.String()
	}
	return ""
}

func reportTLS(state *tls.ConnectionState) *tlsReport {
	if state == nil {
		return nil
	}
	return &tlsReport{
		tls.VersionName(state.Version), state.NegotiatedProtocol, state.ServerName,
	}
}

func (s *inspection) reportServer() serverReport {
	r := serverReport{Go: runtime.Version(), Pings: "off"}
	r.Hostname, _ = os.Hostname()
	if build, ok := debug.ReadBuildInfo(); ok {
		r.Version = build.Main.Path + " " + build.Main.Version
	}
	if s.in.pings > 0 && !s.pingsOff {
		r.Pings = "every " + s.in.pings.String()
	}
	return r
}
