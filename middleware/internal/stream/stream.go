// Package stream makes a net.Conn of a stream of HTTP/2 or HTTP/3, which its handler has as the
// body of the request and the ResponseWriter.
//
// It works on bytes. It must not know wrappers of ResponseWriters, handshakes or frames.
package stream

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Writer is the ResponseWriter of a server that has streams.
type Writer interface {
	http.ResponseWriter
	FlushError() error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Conn is a stream. One goroutine at a time may read from it, and one write to it; the other
// methods may be called at any time. Create one with [New].
//
// A read from the body and a write to the ResponseWriter cannot be interrupted without ending the
// stream, and not even that helps a write if the client stops reading from the network. So each
// runs on a goroutine of its own, for which Read and Write wait until their deadline.
type Conn struct {
	w             Writer
	body          io.Reader
	local, remote net.Addr

	readDeadline  deadline
	writeDeadline deadline

	in       result      // what the reader has not yet taken
	small    []byte      // buffer for in, kept while the reader waits
	received chan result // has room for that of the read in progress
	sent     chan error  // likewise for the write

	mu        sync.Mutex
	isClosed  bool
	returning bool           // the handler has called Wait
	abrupt    bool           // see EndWithReset
	reading   bool           // the body is being read
	writing   bool           // the ResponseWriter is being used
	failed    error          // of a write; returned by all further ones
	inUse     sync.WaitGroup // counts the goroutines of reading and writing
	closed    chan struct{}  // closed by Close
	late      *time.Timer    // set by Close
}

// New returns the stream of a request as a net.Conn. The handler must call [Conn.Wait] before it
// returns. The timeouts of the server for the request no longer count.
func New(w Writer, r *http.Request) *Conn {
	c := &Conn{
		w:        w,
		body:     r.Body,
		remote:   newAddr(r.ProtoMajor, r.RemoteAddr),
		received: make(chan result, 1),
		sent:     make(chan error, 1),
		closed:   make(chan struct{}),
	}
	c.local, _ = r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if c.local == nil {
		c.local = newAddr(r.ProtoMajor, "")
	}
	_ = w.SetReadDeadline(time.Time{}) // The writers of net/http and quic-go never fail to.
	_ = w.SetWriteDeadline(time.Time{})
	return c
}

// Close makes all reads and writes return [net.ErrClosed], those in progress too. The stream ends
// when the handler returns. If it has not called [Conn.Wait] after a second, the stream is reset.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.isClosed {
		c.isClosed = true
		close(c.closed)
		c.late = time.AfterFunc(time.Second, c.reset)
	}
	return nil
}

// EndWithReset makes Wait reset the stream, so that nothing is sent that others write to the
// ResponseWriter when the handler has returned. It has no effect on HTTP/3.
func (c *Conn) EndWithReset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abrupt = true
}

// past is a deadline that ends what waits.
func past() time.Time { return time.Unix(1, 0) }

func (c *Conn) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.returning {
		_ = c.w.SetWriteDeadline(past())
	}
}

// Wait closes the connection and waits until nothing uses the body or the ResponseWriter, which the
// server reuses. A write in progress is aborted by a reset of the stream. If the client has stopped
// reading from the network, even that waits for the server to give up the client.
func (c *Conn) Wait() {
	_ = c.Close()
	c.mu.Lock()
	c.late.Stop()
	c.returning = true
	reading, reset := c.reading, c.writing || c.abrupt
	c.mu.Unlock()
	if reset {
		_ = c.w.SetWriteDeadline(past())
	}
	if reading {
		_ = c.w.SetReadDeadline(past())
	}
	c.inUse.Wait()
}

// start begins a use of the body or the ResponseWriter, unless the connection is closed.
func (c *Conn) start(use *bool) error {
	if c.isClosed {
		return net.ErrClosed
	}
	*use = true
	c.inUse.Add(1)
	return nil
}

// LocalAddr returns the address of the server.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the address of the client.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	c.readDeadline.set(t)
	c.writeDeadline.set(t)
	return nil
}

// SetReadDeadline sets the deadline for reads, in progress and future ones. The stream survives it.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.readDeadline.set(t)
	return nil
}

// SetWriteDeadline sets the deadline for writes, in progress and future ones. Nothing can be
// written after a write that has exceeded it.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.writeDeadline.set(t)
	return nil
}

// recovered calls f and returns a panic as an error: the goroutine is not one of net/http's.
func recovered(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("stream: panic: %v", v)
		}
	}()
	return f()
}
