package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
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
	return report{
		Event: event, Number: number, Time: now.UTC(), Age: ms(now.Sub(s.began)),
		RoundTrip: s.roundTrip.Load(),
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// resized cuts the text of r, which is ASCII, or adds spaces, which JSON allows at the end.
func (s *inspection) resized(r report) []byte {
	text := encode(r, "")
	if !s.sized {
		return text
	}
	return append(text, bytes.Repeat([]byte(" "), int(s.size))...)[:s.size]
}

func encode(v any, indent string) []byte {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // An & stays legible.
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		panic(err) // All of its types can be marshaled.
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

// A handshakeReport is the first message of an inspector. Values are as they arrived, but for
// credentials.
type handshakeReport struct {
	Event   string    `json:"event"` // "handshake"
	Time    time.Time `json:"time"`
	Request struct {
		Method        string      `json:"method"`
		Path          string      `json:"path"`
		Query         string      `json:"query"`
		Host          string      `json:"host"`
		Headers       http.Header `json:"headers"` // in order of names
		RemoteAddress string      `json:"remoteAddress"`
		LocalAddress  string      `json:"localAddress"`
		TLS           *tlsReport  `json:"tls"` // null: without TLS
	} `json:"request"`
	Negotiated struct {
		HTTPVersion string `json:"httpVersion"`
		Subprotocol string `json:"subprotocol"`
		Extensions  string `json:"extensions"`
	} `json:"negotiated"`
	Server struct {
		Hostname string `json:"hostname"`
		Version  string `json:"version"`
		Go       string `json:"go"`
		Pings    string `json:"pings"` // how often, or "off"
	} `json:"server"`
}

type tlsReport struct {
	Version string `json:"version"`
	ALPN    string `json:"alpn"`
	SNI     string `json:"sni"`
}

// handshake returns the handshake in several lines, as it is read by people.
func (s *inspection) handshake(c *middleware.Conn) []byte {
	r := c.Request()
	h := handshakeReport{Event: "handshake", Time: s.began.UTC()}
	req := &h.Request
	req.Method, req.Path, req.Query = r.Method, r.URL.EscapedPath(), r.URL.RawQuery
	req.Host, req.Headers, req.RemoteAddress = r.Host, r.Header, r.RemoteAddr
	req.LocalAddress = fmt.Sprint(r.Context().Value(http.LocalAddrContextKey))
	if r.TLS != nil {
		req.TLS = &tlsReport{
			tls.VersionName(r.TLS.Version), r.TLS.NegotiatedProtocol, r.TLS.ServerName,
		}
	}
	agreed := &h.Negotiated
	agreed.HTTPVersion = fmt.Sprintf("%d.%d", r.ProtoMajor, r.ProtoMinor)
	agreed.Subprotocol = c.Subprotocol()
	agreed.Extensions = s.answered.Get("Sec-WebSocket-Extensions")
	if !s.in.credentials {
		req.Path, req.Query = maskPath(req.Path), maskQuery(req.Query)
		req.Headers = maskHeaders(req.Headers)
		agreed.Subprotocol = maskSelected(agreed.Subprotocol, req.Headers)
	}
	server := &h.Server
	server.Hostname, _ = os.Hostname()
	if build, ok := debug.ReadBuildInfo(); ok {
		server.Version = build.Main.Path + " " + build.Main.Version
	}
	server.Go, server.Pings = runtime.Version(), "off"
	if s.in.pings > 0 && !s.pingsOff {
		server.Pings = "every " + s.in.pings.String()
	}
	return encode(h, "  ")
}
