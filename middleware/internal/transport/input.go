package transport

import (
	"syscall"

	"example.com/wsecho/middleware/internal/buffer"
)

const (
	// ownBuffer is the size of the buffer that a connection keeps if it cannot tell, before it
	// waits, whether there is anything to read: behind TLS, for example.
	ownBuffer = 4 << 10

	// directRead is from which size on a read goes straight to where the message is kept.
	directRead = 16 << 10
)

// input is what has been received and not yet read.
type input struct {
	unread []byte // what has passed the guard, in chunk or own
	chunk  *buffer.Chunk
	own    []byte
	raw    rawRead
}

// rawRead is a read on the descriptor of the connection, which takes a buffer only once there is
// something to read.
type rawRead struct {
	conn    syscall.RawConn // nil if the connection has none
	attempt func(fd uintptr) bool
	direct  []byte // where to read to; nil for a chunk
	n       int
	full    bool // the last read has filled its buffer: there is probably more
	err     error
}

func (in *input) take(p []byte) int {
	n := copy(p, in.unread)
	in.keep(in.unread[n:])
	return n
}

// keep sets what is left unread, and frees the chunk if that is nothing.
func (in *input) keep(unread []byte) {
	in.unread = unread
	if len(unread) == 0 {
		in.unread = nil
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

// readOnce reads once, waiting if need be: into direct, if that is large, or into a buffer.
func (t *Transport) readOnce(direct []byte) (received []byte, err error) {
	if len(direct) < directRead {
		direct = nil
	}
	if t.in.raw.conn != nil {
		return t.readRaw(direct)
	}
	p := direct
	if p == nil {
		if t.in.own == nil {
			t.in.own = make([]byte, ownBuffer)
		}
		p = t.in.own
	}
	// It may wait.
	if err := t.startWaiting(); err != nil {
		return nil, err
	}
	n, err := t.Conn.Read(p)
	return p[:n], err
}
