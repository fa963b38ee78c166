package middleware

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// writeChunk is how much is handed to the network at a time, each with a deadline of its
	// own, so that a slow client with a large message is told from one that does not read.
	writeChunk = 256 << 10

	// smallWrite is up to which size a piece is copied even if it has to wait for room.
	smallWrite = 4 << 10
)

// output is what has been written and not yet sent. Pieces of frames are put together, and
// under batched handlers whole frames are, while the reader is busy.
type output struct {
	conn    net.Conn
	timeout time.Duration // for each chunk; negative for none
	until   time.Time     // the deadline that is set

	dropped     bool        // gorilla has written its 101; ours is the one that counts
	deflateNext atomic.Bool // the next data frame gets RSV1 (RFC 7692 §6)

	mu      sync.Mutex
	held    []byte // in lent
	effort  int    // of what was written since sendHeld: the pieces, compressed ones twice
	lent    *[lentBuffer]byte
	batched bool // holding is allowed
	holding bool // the reader is busy and will release what is held
	err     error
}

// Write takes p, which begins with a frame header unless it goes on with the payload of the
// frame before.
func (o *output) Write(p []byte) (int, error) {
	if !o.dropped {
		o.dropped = true
		return len(p), nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	o.effort++
	if fits := len(o.held)+len(p) <= lentBuffer; !fits && len(p) > smallWrite {
		return len(p), o.send(p)
	} else if !fits {
		if err := o.send(nil); err != nil {
			return 0, err
		}
	}
	o.hold(p)
	return len(p), nil
}

// hold appends p to what is held. A payload cannot be mistaken for a header here: deflateNext is
// set only between data frames, and cleared by the next one.
func (o *output) hold(p []byte) {
	if o.lent == nil {
		o.lent = lentBuffers.Get().(*[lentBuffer]byte)
		o.held = o.lent[:0]
	}
	begin := len(o.held)
	o.held = append(o.held, p...)
	opcode := p[0] & 0x0f
	if (opcode == opText || opcode == opBinary) && o.deflateNext.CompareAndSwap(true, false) {
		o.held[begin] |= rsv1
		o.effort++
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

// sendHeld sends what is held, and goes on holding. It returns the effort since it was last called.
func (o *output) sendHeld() (effort int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	effort, o.effort = o.effort, 0
	return effort, o.send(nil)
}

// release sends what is held, and has the next writes sent at once.
func (o *output) release() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holding = false
	return o.send(nil)
}

// resume goes back to holding, if that is allowed.
func (o *output) resume() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.holding = o.batched
}

// sendResponse sends the 101. If it cannot, what comes next fails.
func (o *output) sendResponse(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.effort++
	o.err = o.sendChunk(p, nil)
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
		chunk := p[:min(len(p), writeChunk-len(held))]
		o.err = o.sendChunk(held, chunk)
		held, p = nil, p[len(chunk):]
	}
	if o.lent != nil {
		lentBuffers.Put(o.lent)
		o.held, o.lent = nil, nil
	}
	return o.err
}

func (o *output) sendChunk(held, p []byte) error {
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
	if o.timeout < 0 || time.Until(o.until) > o.timeout*3/4 {
		return nil
	}
	o.until = time.Now().Add(o.timeout)
	return o.conn.SetWriteDeadline(o.until)
}
