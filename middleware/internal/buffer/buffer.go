// Package buffer provides pooled buffers for messages and network data.
//
// It must not know what the bytes mean.
package buffer

import (
	"io"
	"sync"
)

// A buffer starts small and grows with the data received, not with the length that a frame header
// claims. Large buffers have a pool of their own, so that small messages do not retain them.
const (
	minSize   = 1 << 10
	largeSize = 64 << 10 // and more
	maxPooled = 16 << 20 // larger buffers are left to the garbage collector

	// begin is where the contents begin. If they began with a page, as the data in the kernel's
	// buffers does, messages of 1 MiB would take 1.5 times as long on AMD's Zen 3: its REP MOVSB is
	// slow if source and destination have almost the same offset in a page (glibc bug 30994).
	begin = 64
)

var (
	smallBuffers = sync.Pool{New: func() any { return &Buffer{room: make([]byte, minSize)} }}
	largeBuffers = sync.Pool{New: func() any { return &Buffer{room: make([]byte, 2*largeSize)} }}
)

// Buffer holds the payload of a message. Create one with [New]. Its writing methods never fail.
type Buffer struct {
	room []byte
	end  int // of the contents in room
}

// New returns an empty buffer from the pool.
func New() *Buffer {
	b := smallBuffers.Get().(*Buffer)
	b.end = begin
	return b
}

// Free returns the buffer to the pool. Neither it nor its bytes may be used afterwards.
func (b *Buffer) Free() {
	switch {
	case len(b.room) < largeSize:
		smallBuffers.Put(b)
	case len(b.room) <= maxPooled:
		largeBuffers.Put(b)
	}
}

// Bytes returns the contents. They are valid until the next write.
func (b *Buffer) Bytes() []byte { return b.room[begin:b.end] }

// Truncate drops the last n bytes of the contents.
func (b *Buffer) Truncate(n int) { b.end -= n }

// reserve makes room for n more bytes. It moves a buffer that becomes large into a pooled one.
func (b *Buffer) reserve(n int) {
	size := len(b.room)
	for size < b.end+n {
		size *= 2
	}
	switch {
	case size == len(b.room):
	case size < largeSize:
		b.move(make([]byte, size))
	default:
		large := largeBuffers.Get().(*Buffer)
		if len(large.room) < size {
			large.room = make([]byte, size)
		}
		outgrown := b.room
		b.move(large.room)
		large.room = outgrown
		large.Free()
	}
}

func (b *Buffer) move(room []byte) {
	copy(room, b.room[:b.end])
	b.room = room
}

// Write appends p.
func (b *Buffer) Write(p []byte) (int, error) {
	b.reserve(len(p))
	b.end += copy(b.room[b.end:], p)
	return len(p), nil
}

// WriteString appends s.
func (b *Buffer) WriteString(s string) (int, error) {
	b.reserve(len(s))
	b.end += copy(b.room[b.end:], s)
	return len(s), nil
}

// ReadFrom appends everything read from r until io.EOF or another error, which it returns.
func (b *Buffer) ReadFrom(r io.Reader) (int64, error) {
	before := b.end
	for {
		b.reserve(1)
		n, err := r.Read(b.room[b.end:])
		b.end += n
		if err == io.EOF {
			err = nil
		} else if err == nil {
			continue
		}
		return int64(b.end - before), err
	}
}
