package middleware

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/wsecho/middleware/internal/frame"
	"example.com/wsecho/middleware/internal/handshake"
	"example.com/wsecho/middleware/internal/transport"
)

// Conn is a WebSocket connection. Its methods may be called from any number of goroutines at
// once: messages are written one after the other, and read by one goroutine at a time.
//
// Somebody has to read: the client's pings and its close are answered by whoever reads. A handler
// that only sends has [Conn.Discard] read for it.
type Conn struct {
	// What every message touches comes first, here and in transport: with many connections it has
	// to be brought into the cache each time.
	engine     engine
	transport  *transport.Transport
	opts       *Options
	deflate    bool // see handshake.Agreement
	windowBits uint8

	writing writeLock
	sent    atomic.Int64 // bytes of payload, before compression

	reading  sync.Mutex // guards in, readErr and received
	in       incoming
	readErr  error // why nothing more can be read
	received int64 // bytes of payload, after decompression

	ctx    context.Context // done once the connection can carry no more messages
	cancel context.CancelFunc

	remote      string        // address of the client
	path        string        // of the request
	request     *http.Request // nil if nobody can ask for it
	subprotocol string

	closing   closing
	keepAlive keepAlive
	began     time.Time
}

func (m *Middleware) newConn(
	conn net.Conn, received []byte, r *http.Request, agreed *handshake.Agreement,
) *Conn {
	opts := &m.opts
	c := &Conn{
		remote:      r.RemoteAddr,
		path:        strings.Clone(r.URL.Path),
		subprotocol: agreed.Subprotocol,
		deflate:     agreed.Deflate,
		windowBits:  uint8(agreed.WindowBits),
		opts:        opts,
		writing:     newWriteLock(),
	}
	ctx := context.Background()
	if !isMessageLoop(opts.Handler) || opts.Hooks.seeConn() {
		// What outer layers have put into the context stays; a time limit for the request does not.
		c.request, ctx = r, context.WithoutCancel(r.Context())
	}
	c.ctx, c.cancel = context.WithCancel(ctx)
	config := transport.Config{
		Owner:        transportOwner{c},
		Guard:        frame.NewGuard(agreed.Deflate, opts.ReadLimit),
		WriteTimeout: opts.WriteTimeout,
	}
	if opts.Detach && isMessageLoop(opts.Handler) {
		config.IdleAfter = m.idleAfter
	}
	c.transport = transport.New(conn, received, config)
	c.engine.start(c.transport)
	c.engine.ws.SetPingHandler(c.pong) // for those within a message
	return c
}

// transportOwner is the Conn as its transport sees it.
type transportOwner struct{ c *Conn }

func (o transportOwner) Ping(payload string) error { return o.c.pong(payload) }

func (o transportOwner) Interrupted(waited time.Duration) (time.Time, error) {
	return o.c.readInterrupted(waited)
}

// Request returns the request of the opening handshake: its headers, its URL, the values of its
// context, the client's address. It must not be changed.
func (c *Conn) Request() *http.Request { return c.request }

// Subprotocol returns the subprotocol agreed on (RFC 6455 §1.9), or "".
func (c *Conn) Subprotocol() string { return c.subprotocol }

// serve has h serve the connection and ends it, however h ends, be it by runtime.Goexit; or it
// reports that the connection is idle and can be parked.
func (c *Conn) serve(h Handler) (idle bool) {
	err := errGoexit
	defer func() {
		if idle = err == transport.ErrIdle; !idle {
			c.end(err)
		}
	}()
	err = c.call(h)
	return idle
}

func (c *Conn) begin() {
	c.began = time.Now()
	c.logBegin()
	c.keepAlive.start(c)
	c.hookAccepted()
}

func (c *Conn) end(err error) {
	err = c.finish(err)
	c.keepAlive.stop()
	info := c.closing.info()
	info.Duration, info.Err = time.Since(c.began), err
	info.Received, info.Sent = c.receivedBytes(), c.sent.Load()
	c.logEnd(info)
	c.hookClosed(info)
}

var errGoexit = errors.New("middleware: handler has called runtime.Goexit")

// handlerPanic is a panic of the handler, which is logged already, as an error.
type handlerPanic struct{ value any }

func (p handlerPanic) Error() string {
	return fmt.Sprintf("middleware: handler panicked: %v", p.value)
}

// call makes a panic of the handler an error.
func (c *Conn) call(h Handler) (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.logPanic(v)
			err = handlerPanic{v}
		}
	}()
	if c.began.IsZero() {
		c.begin()
	}
	return h.ServeConn(c.ctx, c)
}

// finish ends the connection in order: our close frame, the client's, the stream (RFC 6455
// §7.1.1). It returns what went wrong, as [Hooks] has it.
func (c *Conn) finish(err error) error {
	status := c.closeStatus(err)
	failed := c.sendClose(status) && status == errInternal
	if _, logged := err.(handlerPanic); failed && !logged {
		c.logHandlerError(err)
	}
	readErr := c.Discard()
	c.transport.Linger(c.closing.lingerDeadline(time.Now()))
	c.cancel()
	switch {
	case failed:
		return err
	case c.closing.isMutual():
		return nil
	}
	return readErr
}
