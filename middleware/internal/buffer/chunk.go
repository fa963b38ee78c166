package buffer

import "sync"

// ChunkSize is the size of a [Chunk] in bytes.
const ChunkSize = 64 << 10

// Chunk is what a connection reads or writes at a time. A connection takes one from the pool while
// there is something in it; one that waits has none.
type Chunk [ChunkSize]byte

var chunks = sync.Pool{New: func() any { return new(Chunk) }}

// NewChunk returns a chunk from the pool, with whatever was in it.
func NewChunk() *Chunk { return chunks.Get().(*Chunk) }

// Free puts the chunk back into the pool. It must not be used afterwards.
func (c *Chunk) Free() { chunks.Put(c) }
