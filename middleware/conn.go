package middleware

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"example.com/wsecho/middleware/internal/closing"
	"example.com/wsecho/middleware/internal/frame"
	"example.com/wsecho/middleware/internal/handshake"
	"example.com/wsecho/middleware/internal/logging"
	"example.com/wsecho/middleware/internal/transport"
)

// Conn is a WebSocket connection. Its methods are safe for concurrent use: messages are written
// one after the other, and read by one goroutine at a time.
//
// A handler must read, because pings and the close frame of the client are answered by the reading
// methods. A handler that only sends calls [Conn.Discard] in another goroutine.
type Conn struct {
	// The fields used for every message are together, in few cache lines: with many connections,
	// each of these lines is a cache miss.
	transport  *transport.Transport
	opts       *shared
	deflate    bool // permessage-deflate was agreed on
	overTLS    bool
	windowBits uint8 // see handshake.Agreement

	writing mutex
	sent    atomic.Int64 // bytes of payload, before compression

	answer   MessageFunc // made by the handler if it is a PerConn; nil before
	reading  mutex       // guards in, readErr and received
	in       incoming
	readErr  *CloseError // returned by all further reads
	received int64       // bytes of payload, after decompression

	ctx    context.Context // done once the connection can carry no more messages
	cancel context.CancelFunc

	remote      string        // address of the client, cut for the log
	path        string        // of the request, cut for the log
	request     *http.Request // nil if neither handler nor hooks can get at it
	subprotocol string
	client      string // see Options.Client; "" if it does not matter

	lifetime  lifetime
	closing   closing.Handshake
	keepAlive keepAlive
	began     time.Time
}

func (m *Middleware) newConn(
	conn net.Conn, received []byte, r *http.Request, agreed *handshake.Agreement,
) *Conn {
	opts := &m.opts
	c := &Conn{
		// Clones, so as not to keep the rest of the request.
		remote:      strings.Clone(logging.Cut(r.RemoteAddr)),
		path:        strings.Clone(logging.Cut(r.URL.Path)),
		subprotocol: strings.Clone(agreed.Subprotocol),
		deflate:     agreed.Deflate,
		overTLS:     r.TLS != nil,
		windowBits:  uint8(agreed.WindowBits),
		opts:        opts,
	}
	if seesConn(opts.Handler) || opts.Hooks.seeConn() {
		c.request = r
		// Keep the values of the context, but not a timeout for the request.
		c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(r.Context()))
		c.writing, c.reading = newMutex(), newMutex()
	} else { // Nobody waits for the end of the connection, nor for the locks.
		c.ctx, c.cancel = context.Background(), func() {}
	}
	config := transport.Config{
		Owner:        lower{c},
		Guard:        frame.NewGuard(agreed.Deflate, opts.ReadLimit),
		ReadTimeout:  opts.ReadTimeout,
		WriteTimeout: opts.WriteTimeout,
		Rate:         opts.MaxMessageRate,
	}
	if opts.Detach && canPark(opts.Handler) {
		config.IdleAfter = m.idleAfter
	}
	c.transport = transport.New(conn, received, config)
	return c
}

// lower is the Conn as its transport and the engines lent to it see it: a transport.Owner and an
// engine.User.
type lower struct{ c *Conn }

func (l lower) Read(p []byte) (int, error)  { return l.c.transport.Read(p) }
func (l lower) Write(p []byte) (int, error) { return l.c.transport.Write(p) }
func (l lower) Pong(payload string) error   { return l.c.hookPong(payload) }

// Ping answers a ping (RFC 6455 §5.5.3).
func (l lower) Ping(payload string) error {
	err := l.c.transport.WriteControl(frame.Pong, []byte(payload))
	if errors.Is(err, transport.ErrClosed) {
		return nil
	}
	return err
}

// Interrupted returns until when the reader may wait, and sends the close frame once a draining
// client is quiet.
func (l lower) Interrupted(waited time.Duration) (time.Time, error) {
	c := l.c
	until, due, err := c.closing.Wait(time.Now(), waited)
	if due {
		c.sendClose(c.closing.Drained().(*CloseError))
		until, _, err = c.closing.Wait(time.Now(), 0)
	}
	return until, err
}

// Request returns the request of the opening handshake. It must not be modified.
func (c *Conn) Request() *http.Request { return c.request }

// Subprotocol returns the negotiated subprotocol (RFC 6455 §1.9), or "".
func (c *Conn) Subprotocol() string { return c.subprotocol }

// serve runs h and ends the connection when h returns, panics or calls runtime.Goexit. It does not
// end an idle connection, which can be parked, and returns true.
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
	c.startKeepAlive()
	c.startMaxAge()
	c.hookAccepted()
}

func (c *Conn) end(err error) {
	// A hook or a logger may call runtime.Goexit.
	defer func() { _ = c.transport.Close() }()
	defer c.stopTimers()
	err = c.finish(err)
	c.stopTimers()
	info := c.closeInfo()
	if info.Err == nil {
		info.Err = err
	} else if lost := c.closing.Lost(); err != nil && lost != nil {
		info.Err = fmt.Errorf("%w; then %w", info.Err, lost)
	}
	info.Duration = time.Since(c.began)
	info.Received, info.Sent = c.receivedBytes(), c.sent.Load()
	c.logEnd(info)
	c.hookClosed(info)
}

func (c *Conn) stopTimers() {
	c.keepAlive.stop()
	c.lifetime.stop()
}

var errGoexit = errors.New("middleware: handler has called runtime.Goexit")

// handlerPanic is the error for a panic of the handler, which has been logged.
type handlerPanic struct{ value any }

func (p handlerPanic) Error() string {
	return fmt.Sprintf("middleware: handler panicked: %v", p.value)
}

// recoverPanic calls f, which calls code of the user, and returns a panic as an error.
func (c *Conn) recoverPanic(f func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.logPanic(v)
			err = handlerPanic{v}
		}
	}()
	f()
	return nil
}

// call runs h and returns its error or its panic.
func (c *Conn) call(h Handler) (err error) {
	panicked := c.recoverPanic(func() {
		if c.began.IsZero() {
			c.begin()
		}
		err = c.serveParkable(h)
	})
	if panicked != nil {
		return panicked
	}
	return err
}

// finish performs the closing handshake and ends the stream (RFC 6455 §7.1.1). It returns an error
// of the client or the network.
func (c *Conn) finish(err error) error {
	var status *CloseError
	if p := c.recoverPanic(func() { status = c.closeStatus(err) }); p != nil {
		status = failedBy(p) // of a method of the error
	}
	failed := c.sendClose(status) && status.err != nil
	if _, logged := status.err.(handlerPanic); failed && !logged {
		c.logHandlerError(status.err)
	}
	readErr := c.Discard()
	c.transport.Linger(c.closing.LingerDeadline(time.Now()))
	c.cancel()
	if c.closing.IsMutual() {
		return nil
	}
	return readErr
}
