package middleware

import (
	"bufio"
	"fmt"
	"net"
	"net/http"

	"github.com/gorilla/websocket"
)

// gorilla's buffers are small, since the transport has large ones to lend: the reader's is for
// headers and control frames, the writer's for what is not worth a piece of its own.
const (
	engineReadBuffer  = 288      // gorilla takes no reader of 256 bytes or less
	engineWriteBuffer = 512 - 14 // which leaves room for a frame header
)

// engineRequest is one that gorilla accepts. What the client has sent was checked before, more
// strictly and, with empty list elements, more leniently than gorilla would.
var engineRequest = &http.Request{Method: http.MethodGet, Header: http.Header{
	"Connection":            {"Upgrade"},
	"Upgrade":               {"websocket"},
	"Sec-Websocket-Version": {"13"},
	"Sec-Websocket-Key":     {"dGhlIHNhbXBsZSBub25jZQ=="}, // of RFC 6455 §1.3
}}

// newEngine has gorilla take the connection over, whose answer the transport drops.
func newEngine(t *transport) *websocket.Conn {
	t.engine = bufio.NewReaderSize(t, engineReadBuffer)
	upgrader := websocket.Upgrader{WriteBufferSize: engineWriteBuffer}
	ws, err := upgrader.Upgrade(engineWriter{t}, engineRequest, nil)
	if err != nil {
		panic(fmt.Errorf("middleware: %w", err))
	}
	t.freeHTTP()
	return ws
}

// engineWriter is the http.ResponseWriter from which gorilla hijacks the transport.
type engineWriter struct{ *transport }

func (engineWriter) Header() http.Header { return http.Header{} }
func (engineWriter) WriteHeader(int)     {}

func (w engineWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.transport, bufio.NewReadWriter(w.engine, w.brw.Writer), nil
}

// freeHTTP gives up net/http's buffers of 8 KiB, which otherwise live as long as its goroutine
// does, on whose stack we are.
func (t *transport) freeHTTP() {
	*t.brw.Reader, *t.brw.Writer = bufio.Reader{}, bufio.Writer{}
	t.brw = nil
}
