// Package engine encodes and decodes frames with gorilla/websocket. It is the only package that
// imports it.
//
// It works on a net.Conn whose frames are checked already. It must not know what is below that, nor
// what the messages are for.
package engine

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// gorilla's buffers are small, since the connection has large ones. The reader's holds headers and
// control frames, the writer's headers and short payloads.
const (
	readBuffer  = 288      // gorilla replaces a reader of 256 bytes or less
	writeBuffer = 512 - 14 // gorilla adds a frame header
)

// Engine is gorilla's side of a connection. One goroutine at a time may read from it, and one write
// to it. Initialize it with [Engine.Start]; it must not be copied afterwards.
type Engine struct {
	ws   *websocket.Conn
	conn conn
}

// conn is the connection as gorilla sees it.
type conn struct {
	net.Conn
	answered bool
}

// Write drops the first write, gorilla's response to the handshake: ours has been sent.
func (c *conn) Write(p []byte) (int, error) {
	if !c.answered {
		c.answered = true
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// Start makes gorilla take over c. ping is called with the payload of pings within a message.
func (e *Engine) Start(c net.Conn, ping func(payload string) error) {
	e.conn.Conn = c
	w := hijackWriter{e: e, spare: spareWriters.Get().(*bufio.Writer)}
	upgrader := websocket.Upgrader{WriteBufferSize: writeBuffer}
	ws, err := upgrader.Upgrade(w, request, nil)
	if err != nil {
		panic(fmt.Errorf("engine: %w", err)) // gorilla has changed: it accepts the request today.
	}
	w.spare.Reset(nil)
	spareWriters.Put(w.spare)
	e.ws = ws
	ws.SetPingHandler(ping)
}

// NextReader returns the opcode of the next message and a reader for its payload.
func (e *Engine) NextReader() (opcode int, payload io.Reader, err error) {
	return e.ws.NextReader()
}

// WriteMessage writes a message in one frame.
func (e *Engine) WriteMessage(opcode int, p []byte) error { return e.ws.WriteMessage(opcode, p) }

// NextWriter begins a message, which is written in one or more frames.
func (e *Engine) NextWriter(opcode int) (io.WriteCloser, error) { return e.ws.NextWriter(opcode) }

// request is a handshake that gorilla accepts. The client's was checked by our own rules, which
// differ from gorilla's.
var request = &http.Request{Method: http.MethodGet, Header: http.Header{
	"Connection":            {"Upgrade"},
	"Upgrade":               {"websocket"},
	"Sec-Websocket-Version": {"13"},
	"Sec-Websocket-Key":     {"dGhlIHNhbXBsZSBub25jZQ=="}, // of RFC 6455 §1.3
}}

// hijackWriter is the http.ResponseWriter that gorilla hijacks.
type hijackWriter struct {
	http.ResponseWriter // nil: gorilla only hijacks
	e                   *Engine
	spare               *bufio.Writer
}

// spareWriters are for gorilla's upgrader, which needs a writer and does not keep it.
var spareWriters = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 16) }}

func (w hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	r := bufio.NewReaderSize(&w.e.conn, readBuffer)
	return &w.e.conn, bufio.NewReadWriter(r, w.spare), nil
}
