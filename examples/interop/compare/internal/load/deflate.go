//go:build linux

package load

import (
	"bytes"
	"compress/flate"
	"io"
	"strings"
)

// syncTail ends a flushed deflate stream; permessage-deflate omits it (RFC 7692 §7.2.1).
const syncTail = "\x00\x00\xff\xff"

// deflated returns p compressed as a message, without context takeover.
func deflated(p []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err == nil {
		_, err = w.Write(p)
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		panic(err) // Writes to a buffer cannot fail, and the level is valid.
	}
	return bytes.TrimSuffix(b.Bytes(), []byte(syncTail))
}

// inflated returns the decompressed message, or its first limit+1 bytes if it is longer than limit.
func inflated(p []byte, limit int) ([]byte, error) {
	const end = "\x01\x00\x00\xff\xff" // an empty final block
	r := flate.NewReader(io.MultiReader(bytes.NewReader(p), strings.NewReader(syncTail+end)))
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, int64(limit)+1))
}
