package transport

import (
	"sync"
	"syscall"

	"example.com/wsecho/middleware/internal/buffer"
)

const (
	// ownBuffer is the size of the buffer that a connection keeps if it cannot wait without one:
	// behind TLS, for example.
	ownBuffer = 4 << 10

	// directRead is the size from which a read bypasses the buffer of the transport.
	directRead = 16 << 10
)

// input is the data that was received and is not yet read. A parked connection has none.
type input struct {
	unread []byte // checked, up to the end of a message
	rest   []byte // behind unread, not yet checked; both are in chunk or own
	chunk  *buffer.Chunk
	own    []byte
	raw    rawRead
}

var inputs = sync.Pool{New: func() any { return new(input) }}

func newInput() *input { return inputs.Get().(*input) }

// free is called when there is no input and the reader is to be parked.
func (in *input) free() {
	*in = input{}
	inputs.Put(in)
}

// rawConn is the descriptor, from which a read needs a buffer only when there is input.
type rawConn struct {
	conn    syscall.RawConn // nil if the connection has none
	attempt func(fd uintptr) bool
}

// rawRead is a read from a rawConn.
type rawRead struct {
	direct []byte // where to read to; nil for the chunk
	n      int
	full   bool // the last read has filled the buffer: there may be more input
	err    error
}

// take moves input to p.
func (in *input) take(p []byte) int {
	n := copy(p, in.unread)
	in.skip(n)
	return n
}

// skip drops the next n bytes of unread, and frees the chunk if it is empty.
func (in *input) skip(n int) {
	in.unread = in.unread[n:]
	if len(in.unread)+len(in.rest) == 0 {
		in.unread, in.rest = nil, nil
		in.freeChunk()
	}
}

func (in *input) getChunk() []byte {
	if in.chunk == nil {
		in.chunk = buffer.NewChunk()
	}
	return in.chunk[:]
}

func (in *input) freeChunk() {
	if in.chunk != nil {
		in.chunk.Free()
		in.chunk = nil
	}
}

// readOnce reads once, into direct or, if that is nil, into a buffer.
func (t *Transport) readOnce(direct []byte) (received []byte, err error) {
	if t.raw.conn != nil {
		return t.readRaw(direct)
	}
	p := direct
	if p == nil {
		if t.in.own == nil {
			t.in.own = make([]byte, ownBuffer)
		}
		p = t.in.own
	}
	// Whether Read will wait is not known.
	if err := t.startWaiting(); err != nil {
		return nil, err
	}
	n, err := t.Conn.Read(p)
	return p[:n], err
}
