// Package deflate compresses and decompresses messages for permessage-deflate without context
// takeover (RFC 7692 §7.2).
//
// It must not know connections or how the extension is negotiated.
package deflate

import (
	"compress/flate"
	"sync"

	"example.com/wsecho/middleware/internal/buffer"
)

const (
	// minSize is the smallest message worth compressing, in bytes. Without context takeover,
	// smaller JSON or prose shrinks by less than a third, about 70 bytes, and compressing it takes
	// as long as everything else that is done for a message.
	minSize = 256

	// syncMarker ends a flush of DEFLATE; it is not sent (RFC 7692 §7.2.1).
	syncMarker = "\x00\x00\xff\xff"
)

// IsWorthwhile reports whether to compress a message of n bytes for a client with a window of
// 1<<windowBits bytes, or any window if windowBits is 0. Without context takeover, no match reaches
// back further than the message is long.
func IsWorthwhile(n, windowBits int) bool {
	return n >= minSize && (windowBits == 0 || n <= 1<<windowBits)
}

var writers = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // The level is valid.
	return w
}}

// Append compresses p and appends the result to dst (RFC 7692 §7.2.1).
func Append(dst *buffer.Buffer, p []byte) error {
	w := writers.Get().(*flate.Writer)
	defer writers.Put(w)
	w.Reset(dst)
	if _, err := w.Write(p); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	dst.Truncate(len(syncMarker))
	return nil
}
