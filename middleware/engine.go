package middleware

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"sync"

	"example.com/wsecho/middleware/internal/transport"
	"github.com/gorilla/websocket"
)

// gorilla's buffers are small, since the transport has large ones: the reader's is for headers and
// control frames, the writer's for what is not worth a piece of its own.
const (
	engineReadBuffer  = 288      // gorilla takes no reader of 256 bytes or less
	engineWriteBuffer = 512 - 14 // which leaves room for a frame header
)

// engine encodes and decodes frames: gorilla's connection on the transport.
type engine struct {
	ws     *websocket.Conn
	reader *bufio.Reader // gorilla's
	conn   engineConn
}

// engineConn is the transport as gorilla sees it.
type engineConn struct {
	*transport.Transport
	answered bool
}

// Write drops gorilla's answer to the handshake, which comes first: ours has been sent.
func (c *engineConn) Write(p []byte) (int, error) {
	if !c.answered {
		c.answered = true
		return len(p), nil
	}
	return c.Transport.Write(p)
}

// start has gorilla take over the transport.
func (e *engine) start(t *transport.Transport) {
	e.conn.Transport = t
	e.reader = bufio.NewReaderSize(&e.conn, engineReadBuffer)
	w := engineWriter{e, spareWriters.Get().(*bufio.Writer)}
	upgrader := websocket.Upgrader{WriteBufferSize: engineWriteBuffer}
	ws, err := upgrader.Upgrade(w, engineRequest, nil)
	if err != nil {
		panic(fmt.Errorf("middleware: %w", err))
	}
	e.ws = ws
	w.spare.Reset(nil)
	spareWriters.Put(w.spare)
}

// engineRequest is one that gorilla accepts. The client's was checked before, more strictly and,
// with empty list elements, more leniently than gorilla would.
var engineRequest = &http.Request{Method: http.MethodGet, Header: http.Header{
	"Connection":            {"Upgrade"},
	"Upgrade":               {"websocket"},
	"Sec-Websocket-Version": {"13"},
	"Sec-Websocket-Key":     {"dGhlIHNhbXBsZSBub25jZQ=="}, // of RFC 6455 §1.3
}}

// engineWriter is the http.ResponseWriter from which gorilla hijacks the transport.
type engineWriter struct {
	*engine
	spare *bufio.Writer
}

// spareWriters are what gorilla looks for a buffer in, and does not use while it makes its own.
var spareWriters = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 16) }}

func (engineWriter) Header() http.Header         { return http.Header{} }
func (engineWriter) Write(p []byte) (int, error) { return len(p), nil }
func (engineWriter) WriteHeader(int)             {}

func (w engineWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return &w.conn, bufio.NewReadWriter(w.reader, w.spare), nil
}
