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
	// writeSize is how much is written to the network at a time, each with a deadline of its own,
	// so that a slow client with a large message is told from one that does not read.
	writeSize = 256 << 10

	// maxCopied is up to which size a piece is copied even if that has to wait for room.
	maxCopied = 4 << 10
)

// output is what was written and is not yet sent. The pieces of a frame are put together; whole
// frames are too, while the reader is busy and writes are batched.
type output struct {
	conn     net.Conn
	timeout  time.Duration // for each writeSize; negative for none
	deadline time.Time     // the one that is set

	compressNext atomic.Bool // the next data frame gets RSV1 (RFC 7692 §6)

	mu      sync.Mutex
	held    []byte // in chunk
	pieces  int    // written since sendHeld was called; compressed ones count twice
	chunk   *buffer.Chunk
	batched bool
	holding bool // batched, and the reader is busy and will release what is held
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

// add appends p to what is held. A payload cannot be mistaken for a header here: compressNext is
// set only between data frames, and cleared by the next one.
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

// flush sends what is held, unless the reader will.
func (o *output) flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.holding {
		return o.err
	}
	return o.send(nil)
}

// sendHeld sends what is held, and goes on holding. It returns how many pieces were written since
// the last call.
func (o *output) sendHeld() (pieces int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	pieces, o.pieces = o.pieces, 0
	return pieces, o.send(nil)
}

// release sends what is held, and has the next writes sent at once.
func (o *output) release() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holding = false
	return o.send(nil)
}

// hold goes back to holding, if writes are batched.
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

// send sends what is held and p behind it.
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

// setDeadline leaves alone a deadline that is still far off: a new one for every small write is
// work for the runtime's timers.
func (o *output) setDeadline() error {
	if o.timeout < 0 || time.Until(o.deadline) > o.timeout*3/4 {
		return nil
	}
	o.deadline = time.Now().Add(o.timeout)
	return o.conn.SetWriteDeadline(o.deadline)
}
