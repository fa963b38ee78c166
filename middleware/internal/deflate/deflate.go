// Package deflate compresses and decompresses messages for permessage-deflate without context
// takeover (RFC 7692 §7.2).
//
// It must not know how the extension is negotiated, what a connection is, or what a message means.
package deflate

import (
	"compress/flate"
	"sync"

	"example.com/wsecho/middleware/internal/buffer"
)

const (
	// minSize is the size in bytes from which a message is worth compressing. Without context
	// takeover, smaller JSON or prose shrinks by less than a third, some 70 bytes, in about the
	// time that everything else that is done for a message takes.
	minSize = 256

	// syncMarker ends a flush of DEFLATE; it is not sent (RFC 7692 §7.2.1).
	syncMarker = "\x00\x00\xff\xff"
)

// IsWorthwhile reports whether a message of n bytes should be compressed for a client that decodes
// with a window of 1<<windowBits bytes, or any window if windowBits is 0. Without context takeover
// no match reaches back further than the message is long, so that the window is respected.
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
