package transport

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"example.com/wsecho/middleware/internal/buffer"
	"example.com/wsecho/middleware/internal/frame"
)

const (
	// writeSize is the maximum of one write to the network. Each has a deadline of its own, so that
	// a slow client can receive a large message.
	writeSize = 256 << 10

	// maxCopied is the maximum size of a piece that is copied even if the chunk is full.
	maxCopied = 4 << 10
)

// output is the data that was written and is not yet sent. It combines the pieces of a frame, and,
// if batched, the frames written while the reader is busy.
type output struct {
	conn     net.Conn
	timeout  time.Duration // for each writeSize; negative for none
	deadline time.Time     // of conn

	compressNext atomic.Bool // the next data frame gets RSV1 (RFC 7692 §6)

	mu      sync.Mutex
	held    []byte // in chunk
	pieces  int    // written since the last sendHeld; compressed ones count twice
	chunk   *buffer.Chunk
	batched bool
	holding bool // batched and the reader is busy: it will send what is held
	err     error
}

func (o *output) write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	o.pieces++
	if fits := len(o.held)+len(p) <= buffer.ChunkSize; !fits && len(p) > maxCopied {
		return len(p), o.send(p)
	} else if !fits {
		if err := o.send(nil); err != nil {
			return 0, err
		}
	}
	o.add(p)
	return len(p), nil
}

// add appends p to held. It does not mistake payload for a header: compressNext is set only between
// data frames, and cleared by the next one.
func (o *output) add(p []byte) {
	if o.chunk == nil {
		o.chunk = buffer.NewChunk()
		o.held = o.chunk[:0]
	}
	begin := len(o.held)
	o.held = append(o.held, p...)
	opcode := frame.Opcode(p[0])
	if (opcode == frame.Text || opcode == frame.Binary) &&
		o.compressNext.CompareAndSwap(true, false) {
		o.held[begin] |= frame.RSV1
		o.pieces++
	}
}

// flush sends held, unless the reader will.
func (o *output) flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.holding {
		return o.err
	}
	return o.send(nil)
}

// sendHeld sends held, and returns the number of pieces written since the last call.
func (o *output) sendHeld() (pieces int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	pieces, o.pieces = o.pieces, 0
	return pieces, o.send(nil)
}

// release sends held, and stops holding.
func (o *output) release() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holding = false
	return o.send(nil)
}

// hold starts holding, if batched.
func (o *output) hold() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holding = o.batched
}

func (o *output) setBatched(batched bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.batched, o.holding = batched, batched
	if batched {
		return nil
	}
	return o.send(nil)
}

// send sends held and p.
func (o *output) send(p []byte) error {
	held := o.held
	for len(held)+len(p) > 0 && o.err == nil {
		next := p[:min(len(p), writeSize-len(held))]
		o.err = o.sendNow(held, next)
		held, p = nil, p[len(next):]
	}
	if o.chunk != nil {
		o.chunk.Free()
		o.held, o.chunk = nil, nil
	}
	return o.err
}

// sendNow writes both to the network.
func (o *output) sendNow(held, p []byte) error {
	if err := o.setDeadline(); err != nil {
		return err
	}
	if len(p) == 0 {
		_, err := o.conn.Write(held)
		return err
	}
	buffers := net.Buffers{held, p}
	_, err := buffers.WriteTo(o.conn)
	return err
}

// setDeadline sets a new deadline only when a quarter of the last one is over, to save timers.
func (o *output) setDeadline() error {
	if o.timeout < 0 || time.Until(o.deadline) > o.timeout*3/4 {
		return nil
	}
	o.deadline = time.Now().Add(o.timeout)
	return o.conn.SetWriteDeadline(o.deadline)
}
