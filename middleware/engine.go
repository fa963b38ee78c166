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

// gorilla's buffers are small, since the transport has large ones. The reader's holds headers and
// control frames, the writer's headers and short payloads.
const (
	engineReadBuffer  = 288      // gorilla replaces a reader of 256 bytes or less
	engineWriteBuffer = 512 - 14 // gorilla adds a frame header
)

// engine encodes and decodes frames with gorilla's connection.
type engine struct {
	ws     *websocket.Conn
	reader *bufio.Reader // of ws
	conn   engineConn
}

// engineConn is the transport as gorilla sees it.
type engineConn struct {
	*transport.Transport
	answered bool
}

// Write drops the first write, gorilla's response to the handshake: ours has been sent.
func (c *engineConn) Write(p []byte) (int, error) {
	if !c.answered {
		c.answered = true
		return len(p), nil
	}
	return c.Transport.Write(p)
}

// start makes gorilla hijack the transport.
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

// engineRequest is a handshake that gorilla accepts. The client's was checked by our own rules,
// which differ from gorilla's.
var engineRequest = &http.Request{Method: http.MethodGet, Header: http.Header{
	"Connection":            {"Upgrade"},
	"Upgrade":               {"websocket"},
	"Sec-Websocket-Version": {"13"},
	"Sec-Websocket-Key":     {"dGhlIHNhbXBsZSBub25jZQ=="}, // of RFC 6455 §1.3
}}

// engineWriter is the http.ResponseWriter that gorilla hijacks.
type engineWriter struct {
	*engine
	spare *bufio.Writer
}

// spareWriters are for gorilla's upgrader, which needs a writer and does not keep it.
var spareWriters = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 16) }}

func (engineWriter) Header() http.Header         { return http.Header{} }
func (engineWriter) Write(p []byte) (int, error) { return len(p), nil }
func (engineWriter) WriteHeader(int)             {}

func (w engineWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return &w.conn, bufio.NewReadWriter(w.reader, w.spare), nil
}
