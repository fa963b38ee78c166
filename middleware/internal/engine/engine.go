// Package engine encodes and decodes frames with gorilla/websocket. It is the only package that
// imports it.
//
// It works on a connection whose frames are checked already. It must not know what is below that,
// nor what the messages are for.
package engine

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// gorilla's buffers are small, since the connection has large ones. The reader's holds headers and
// control frames, the writer's headers and short payloads.
const (
	readBuffer  = 288      // gorilla replaces a reader of 256 bytes or less
	writeBuffer = 512 - 14 // gorilla adds a frame header
)

// Engine is gorilla's side of a connection while one of its messages is read or written. Between
// messages gorilla keeps nothing for a connection, so engines are lent from a pool. One goroutine at
// a time may use an Engine.
type Engine struct {
	pool *Pool
	ws   *websocket.Conn
	conn conn
	in   *bufio.Reader // gorilla's
}

// User is the connection that an engine is lent to.
type User interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)

	// Ping and Pong are called with the payload of each ping and pong within a message.
	Ping(payload string) error
	Pong(payload string) error
}

// Pool is a pool of engines. The zero value is ready. There is no global one, because engines have
// channels, which a test in a synctest bubble must not share with the rest of the program.
type Pool struct{ engines sync.Pool }

// Lend returns an engine for u, for [Engine.Return] after the message.
func (p *Pool) Lend(u User) *Engine {
	e, _ := p.engines.Get().(*Engine)
	if e == nil {
		e = newEngine()
		e.pool = p
	}
	e.conn.user = u
	return e
}

// Return returns the engine after a message was read to its end or written. What was returned by
// its methods must not be used any more. An engine that has seen an error, or that still holds input,
// is thrown away.
func (e *Engine) Return() {
	e.conn.user = nil
	if e.conn.err == nil && e.in.Buffered() == 0 {
		e.pool.engines.Put(e)
	}
}

// Cause returns the error of the user's connection that err stands for: gorilla replaces some.
func (e *Engine) Cause(err error) error {
	if e.conn.err != nil {
		return e.conn.err
	}
	return err
}

// NextReader returns the opcode of the next message and a reader for its payload.
func (e *Engine) NextReader() (opcode int, payload io.Reader, err error) {
	return e.ws.NextReader()
}

// WriteMessage writes a message in one frame.
func (e *Engine) WriteMessage(opcode int, p []byte) error { return e.ws.WriteMessage(opcode, p) }

// NextWriter begins a message, which is written in one or more frames.
func (e *Engine) NextWriter(opcode int) (io.WriteCloser, error) { return e.ws.NextWriter(opcode) }

// conn is the connection as gorilla sees it.
type conn struct {
	net.Conn // nil: gorilla uses nothing else
	user     User
	err      error // the first of the user's
}

func (c *conn) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.user.Read(p)
	c.fail(err)
	return n, err
}

// Write drops gorilla's response to the handshake, which is written before there is a user.
func (c *conn) Write(p []byte) (int, error) {
	if c.user == nil {
		return len(p), nil
	}
	n, err := c.user.Write(p)
	c.fail(err)
	return n, err
}

// The user has deadlines of its own.
func (*conn) SetDeadline(time.Time) error      { return nil }
func (*conn) SetWriteDeadline(time.Time) error { return nil }

// newEngine makes gorilla accept a handshake.
func newEngine() *Engine {
	e := new(Engine)
	e.in = bufio.NewReaderSize(&e.conn, readBuffer)
	upgrader := websocket.Upgrader{WriteBufferSize: writeBuffer}
	ws, err := upgrader.Upgrade(hijackWriter{e: e}, request, nil)
	if err != nil {
		panic(fmt.Errorf("engine: %w", err)) // gorilla has changed: it accepts the request today.
	}
	ws.SetPingHandler(func(payload string) error { return e.conn.user.Ping(payload) })
	ws.SetPongHandler(func(payload string) error { return e.conn.user.Pong(payload) })
	e.ws = ws
	return e
}

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
}

func (w hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	out := bufio.NewWriterSize(nil, 16) // gorilla does not keep it
	return &w.e.conn, bufio.NewReadWriter(w.e.in, out), nil
}
