package middleware

import (
	"io"
	"sync"
)

// A message is read into a buffer from a pool, which starts small and grows with what has
// arrived, never with what a header claims. Large buffers have a pool of their own, so that
// small messages do not hold on to them.
const (
	minBuffer   = 1 << 10
	largeBuffer = 64 << 10 // from here on a buffer is large
	maxPooled   = 16 << 20 // beyond, it is left to the garbage collector at once

	// headroom is what is kept free in front of a message, for a prefix to be put there.
	headroom = 64
)

var (
	smallBuffers = sync.Pool{New: func() any { return &buffer{room: make([]byte, minBuffer)} }}
	largeBuffers = sync.Pool{New: func() any { return &buffer{room: make([]byte, 2*largeBuffer)} }}
)

// buffer is the payload of a message, with headroom in front of it.
type buffer struct {
	room []byte
	end  int // of the payload in room
}

func newBuffer() *buffer {
	b := smallBuffers.Get().(*buffer)
	b.end = headroom
	return b
}

func (b *buffer) free() {
	switch {
	case len(b.room) < largeBuffer:
		smallBuffers.Put(b)
	case len(b.room) <= maxPooled:
		largeBuffers.Put(b)
	}
}

func (b *buffer) bytes() []byte { return b.room[headroom:b.end] }

// prefix puts p in front of the payload, if there is room for it, without a copy.
func (b *buffer) prefix(p string) bool {
	if len(p) > headroom {
		return false
	}
	copy(b.room[headroom-len(p):], p)
	return true
}

// prefixed is the payload with so many bytes of a prefix.
func (b *buffer) prefixed(n int) []byte { return b.room[headroom-n : b.end] }

// reserve makes room for n more bytes.
func (b *buffer) reserve(n int) {
	size := len(b.room)
	for size < b.end+n {
		size *= 2
	}
	switch {
	case size == len(b.room):
	case size < largeBuffer:
		b.replace(make([]byte, size))
	default:
		large := largeBuffers.Get().(*buffer)
		if len(large.room) < size {
			large.room = make([]byte, size)
		}
		outgrown := b.room
		b.replace(large.room)
		large.room = outgrown
		large.free()
	}
}

func (b *buffer) replace(room []byte) {
	copy(room, b.room[:b.end])
	b.room = room
}

func (b *buffer) Write(p []byte) (int, error) {
	b.reserve(len(p))
	b.end += copy(b.room[b.end:], p)
	return len(p), nil
}

func (b *buffer) WriteString(s string) (int, error) {
	b.reserve(len(s))
	b.end += copy(b.room[b.end:], s)
	return len(s), nil
}

// ReadFrom appends all that r has.
func (b *buffer) ReadFrom(r io.Reader) (int64, error) {
	begin := b.end
	for {
		b.reserve(1)
		n, err := r.Read(b.room[b.end:])
		b.end += n
		if err == io.EOF {
			err = nil
		} else if err == nil {
			continue
		}
		return int64(b.end - begin), err
	}
}
