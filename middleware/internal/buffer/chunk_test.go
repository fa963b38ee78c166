package buffer

import "testing"

func TestChunk(t *testing.T) {
	for range 10 {
		c := NewChunk()
		if len(c) != 65536 || ChunkSize != 65536 {
			t.Fatalf("chunk of %d bytes, ChunkSize %d", len(c), ChunkSize)
		}
		c[0], c[ChunkSize-1] = 1, 2
		c.Free()
	}
}

// Chunks in use at the same time share no memory.
func TestChunksInUse(t *testing.T) {
	a, b := NewChunk(), NewChunk()
	defer a.Free()
	defer b.Free()
	a[0], b[0] = 'a', 'b'
	if a[0] != 'a' || b[0] != 'b' {
		t.Errorf("a has %q, b has %q", a[0], b[0])
	}
}
