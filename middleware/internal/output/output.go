// Package output sends the frames of a connection. It combines small writes, puts control frames
// between the data frames of other goroutines, and holds replies back while the reader is busy.
//
// It works on bytes and frame headers. It must not know messages, who reads, HTTP or the library.
package output

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"example.com/wsecho/middleware/internal/buffer"
	"example.com/wsecho/middleware/internal/frame"
)

// maxCopied is the maximum size of a piece that is copied even if the chunk is full.
const maxCopied = 4 << 10

// ErrClosed is returned by writes after the close frame.
var ErrClosed = fmt.Errorf("output: close frame written: %w", net.ErrClosed)

// Output is the data that was written and is not yet sent. It combines the pieces of a frame, and,
// if batched, the frames written while the reader is busy. Control frames go between the frames of
// other goroutines. While one of those waits for the network, writing a control frame does not.
type Output struct {
	sender sender

	compressNext atomic.Bool // the next data frame gets RSV1 (RFC 7692 §6)

	mu        sync.Mutex
	held      []byte // in chunk
	chunk     *buffer.Chunk
	frameLeft uint64         // bytes of the current frame that are not yet written
	waiting   *controlFrames // for the writer or sender; nil if there are none
	pieces    int            // written since the last sendHeld; compressed ones count twice
	batched   bool
	holding   bool // batched and the reader is busy: it will send what is held
	closed    bool // a close frame was written
	sending   bool // somebody sends, without mu
	err       error
	changed   chan struct{} // closed when a frame or sending ends; nil if nobody waits
}

// Init sets the connection, and the timeout for each 64 KiB written to it, negative for none.
func (o *Output) Init(conn net.Conn, timeout time.Duration) {
	o.sender.conn, o.sender.timeout = conn, timeout
	o.pieces = 1 // the answer to the handshake
}

// CompressNext sets RSV1 in the next data frame, which begins a compressed message (RFC 7692 §6).
func (o *Output) CompressNext() { o.compressNext.Store(true) }

// Sent returns how many bytes were written to the network.
func (o *Output) Sent() uint64 { return o.sender.sent.Load() }

// Write writes a piece of a data frame: the header with payload, or more payload. [Output.Flush]
// sends it.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	written := len(p)
	if len(p) == 0 {
		return 0, o.err
	}
	if o.frameLeft == 0 {
		header, err := o.beginFrame(p)
		if err != nil {
			return 0, err
		}
		p = p[header:]
	}
	if err := o.add(p); err != nil {
		return 0, err
	}
	o.endFrame()
	return written, nil
}

// beginFrame writes the header of the frame that p begins with, and returns its size.
func (o *Output) beginFrame(p []byte) (int, error) {
	if o.closed {
		return 0, ErrClosed
	}
	header, size := frame.ParseHeader(p)
	o.frameLeft = size
	if !o.compressNext.CompareAndSwap(true, false) {
		return 0, nil
	}
	if err := o.add(p[:header]); err != nil {
		return 0, err
	}
	o.held[len(o.held)-header] |= frame.RSV1 // A header is always copied.
	return header, nil
}

// add writes p, a part of the current frame.
func (o *Output) add(p []byte) error {
	if len(p) == 0 || o.err != nil {
		return o.err
	}
	o.pieces++
	if !o.fits(p) {
		if len(p) > maxCopied {
			return o.send(p)
		}
		if err := o.send(nil); err != nil {
			return err
		}
	}
	o.hold(p)
	o.placed(p)
	return nil
}

// placed counts p, a part of the current frame, when nothing can come before it in the output any
// more. Earlier, the frame could count as complete, and a control frame be put before its end.
func (o *Output) placed(p []byte) { o.frameLeft -= min(uint64(len(p)), o.frameLeft) }

func (o *Output) fits(p []byte) bool { return len(o.held)+len(p) <= buffer.ChunkSize }

func (o *Output) hold(p []byte) {
	if o.chunk == nil {
		o.chunk = buffer.NewChunk()
		o.held = o.chunk[:0]
	}
	o.held = append(o.held, p...)
}

// Flush sends what is held, unless the reader will.
func (o *Output) Flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.holding {
		return o.err
	}
	return o.send(nil)
}

// IsSending reports whether somebody waits for the network.
func (o *Output) IsSending() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sending
}

// SendHeld sends what is held if batched, and holds what comes then. It returns the number of pieces
// written since the last call. Only the reader calls it.
func (o *Output) SendHeld() (pieces int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	pieces, o.pieces = o.pieces, 0
	o.holding = o.batched
	return pieces, o.sendBatch()
}

// Release sends what is held if batched, and stops holding until Resume or SendHeld. A reader that is
// going to wait must count as waiting already.
func (o *Output) Release() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holding = false
	return o.sendBatch()
}

// sendBatch sends held for the reader, if it has held it back. Otherwise the writers send: the
// reader must not wait for them.
func (o *Output) sendBatch() error {
	if !o.batched {
		return o.err
	}
	return o.send(nil)
}

// Resume starts holding if batched.
func (o *Output) Resume() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holding = o.batched
}

// SetBatched sets whether data is held back while the reader is busy. waiting reports whether the
// reader waits already, and so does not call Release.
func (o *Output) SetBatched(batched bool, waiting func() bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.batched, o.holding = batched, batched && !waiting()
	if o.holding {
		return nil
	}
	return o.send(nil)
}

// send sends held and p, and the control frames that other goroutines write meanwhile. Data frames
// are sent by the goroutine that has written them.
func (o *Output) send(p []byte) error {
	for o.sending {
		o.waitForChange()
	}
	if len(o.held)+len(p) == 0 || o.err != nil {
		return o.err
	}
	o.sending = true
	defer func() {
		o.sending = false
		o.notify()
	}()
	o.placed(p)
	o.sendOnce(p)
	for o.waiting != nil && o.frameLeft == 0 && o.err == nil {
		o.endFrame()
		o.sendOnce(nil)
	}
	return o.err
}

// sendOnce sends held and p. It unlocks mu meanwhile.
func (o *Output) sendOnce(p []byte) {
	held, chunk := o.held, o.chunk
	o.held, o.chunk = nil, nil
	err := errWritePanicked // unless send returns
	defer func() {
		o.mu.Lock()
		o.err = err
		if chunk != nil {
			chunk.Free()
		}
	}()
	o.mu.Unlock()
	err = o.sender.send(held, p)
}

var errWritePanicked = errors.New("output: Write of the connection has panicked")

// waitForChange unlocks mu until a frame or sending has ended.
func (o *Output) waitForChange() {
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	changed := o.changed
	o.mu.Unlock()
	defer o.mu.Lock()
	<-changed
}

func (o *Output) notify() {
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
}
