package middleware

import "syscall"

const (
	// ownBuffer is the size of the buffer that a connection keeps if it cannot be asked, before
	// it waits, whether there is anything to read: behind TLS, for example.
	ownBuffer = 4 << 10

	// directRead is from which size on a read goes straight to where the message is kept.
	directRead = 16 << 10
)

// input is what has been received and not yet handed on.
type input struct {
	unread  []byte // what has passed the guard, in lent or own
	lent    *[lentBuffer]byte
	polling polling
	own     []byte
	early   []byte // what came with the handshake
}

// polling is a read that waits without a buffer.
type polling struct {
	raw     syscall.RawConn // nil if the connection has none
	attempt func(fd uintptr) bool
	direct  []byte // where to read to, if that is not to be lent
	n       int
	full    bool // the last read has left no room
	err     error
}

func (in *input) take(p []byte) int {
	if len(in.unread) == 0 {
		return 0
	}
	n := copy(p, in.unread)
	in.keep(in.unread[n:])
	return n
}

// keep sets what is left to be handed on, and gives the buffer back if that is nothing.
func (in *input) keep(unread []byte) {
	in.unread = unread
	if len(unread) == 0 {
		in.unread = nil
		in.giveBack()
	}
}

func (in *input) borrow() []byte {
	if in.lent == nil {
		in.lent = lentBuffers.Get().(*[lentBuffer]byte)
	}
	return in.lent[:]
}

func (in *input) giveBack() {
	if in.lent != nil {
		lentBuffers.Put(in.lent)
		in.lent = nil
	}
}

// poll reads once, waiting if need be.
func (t *transport) poll(p []byte) (n int, lent []byte, err error) {
	if t.in.polling.raw != nil {
		return t.pollRaw(p)
	}
	if len(p) < directRead {
		if t.in.own == nil {
			t.in.own = make([]byte, ownBuffer)
		}
		lent, p = t.in.own, t.in.own
	}
	// Whether this waits cannot be known.
	if err := t.startWaiting(); err != nil {
		return 0, nil, err
	}
	n, err = t.Conn.Read(p)
	return n, lent, err
}
