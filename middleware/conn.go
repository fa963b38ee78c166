package middleware

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// Conn is a WebSocket connection. Its methods may be called from any number of goroutines at
// once: messages are written one after the other, and read by one goroutine at a time.
//
// Somebody has to read: the client's pings and its close are answered by whoever reads. A handler
// that only sends has [Conn.Discard] read for it.
type Conn struct {
	// What every message touches comes first, here and in transport: with many connections it has
	// to be brought into the cache each time.
	ws        *websocket.Conn
	transport *transport
	opts      *Options
	deflate   *deflateParams

	writing turn
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

	lot      *lot
	parkedAs int32 // the lot's
}

func newConn(t *transport, r *http.Request, hs *handshake, opts *Options, l *lot) *Conn {
	c := &Conn{
		transport:   t,
		remote:      r.RemoteAddr,
		path:        strings.Clone(r.URL.Path),
		subprotocol: hs.subprotocol,
		deflate:     hs.deflate,
		opts:        opts,
		writing:     turn{passed: make(chan struct{}, 1)},
		lot:         l,
	}
	if canPark && opts.Detach && isMessageLoop(opts.Handler) && t.in.polling.raw != nil {
		t.idleAfter = minParkAfter
	}
	ctx := context.Background()
	if !isMessageLoop(opts.Handler) || opts.Hooks.seeConn() {
		// What outer layers have put into the context stays; a time limit for the request does not.
		c.request, ctx = r, context.WithoutCancel(r.Context())
	}
	c.ctx, c.cancel = context.WithCancel(ctx)
	t.guard.deflate = hs.deflate != nil
	t.guard.limit = opts.ReadLimit
	t.onTimeout = c.onReadTimeout
	t.onPing = c.pong
	c.ws = newEngine(t)
	c.ws.SetPingHandler(t.onPing) // for those within a message
	return c
}

// Request returns the request of the opening handshake: its headers, its URL, the values of its
// context, the client's address. It must not be changed.
func (c *Conn) Request() *http.Request { return c.request }

// Subprotocol returns the subprotocol agreed on (RFC 6455 §1.9), or "".
func (c *Conn) Subprotocol() string { return c.subprotocol }

// serve has h serve the connection and ends it, whichever way h takes out, runtime.Goexit
// included, unless it reports that the connection is idle and can be parked.
func (c *Conn) serve(h Handler) (idle bool) {
	err := errGoexit
	defer func() {
		if idle = err == errIdle; !idle {
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
		c.logFailure(err)
	}
	readErr := c.Discard()
	c.transport.linger(c.closing.lingerDeadline())
	c.cancel()
	switch {
	case failed:
		return err
	case c.closing.isMutual():
		return nil
	}
	return readErr
}
