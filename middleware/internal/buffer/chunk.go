package buffer

import "sync"

// ChunkSize is the size of a [Chunk] in bytes.
const ChunkSize = 64 << 10

// Chunk is the buffer for one read or write of a connection. A connection has one only while there
// is data in it.
type Chunk [ChunkSize]byte

var chunks = sync.Pool{New: func() any { return new(Chunk) }}

// NewChunk returns a chunk from the pool. Its contents are arbitrary.
func NewChunk() *Chunk { return chunks.Get().(*Chunk) }

// Free returns the chunk to the pool. It must not be used afterwards.
func (c *Chunk) Free() { chunks.Put(c) }
