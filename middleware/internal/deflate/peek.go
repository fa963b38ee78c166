package deflate

import (
	"bytes"
	"compress/flate"
	"io"

	"example.com/wsecho/middleware/internal/buffer"
)

// compress/flate returns nothing before its window is full or the stream has ended. To detect
// invalid text earlier, the beginning of an incomplete message is decompressed separately. Except
// for the first bytes, that is done only when the data has doubled: together the peeks decompress
// about two times the data.
const (
	maxPeeked   = 4 << 10  // bytes of the payload
	maxPeekSize = 32 << 10 // bytes of decompressed data
	firstBytes  = 24       // of the payload
)

// peek checks the beginning of a message. The zero value does nothing.
type peek struct {
	check    func([]byte) error
	more     func() bool
	received []byte // the beginning of the payload
	looked   int    // the length of received at the last peek
}

// CheckEarly makes the reader call check with the beginning of the decompressed message whenever it
// has read all that was received and more reports that the message is incomplete. The reader
// returns the error of check.
func (z *Reader) CheckEarly(check func([]byte) error, more func() bool) {
	z.peek.check, z.peek.more = check, more
}

func (k *peek) reset() { *k = peek{received: k.received[:0]} }

func (k *peek) keep(p []byte) {
	if k.check != nil && len(k.received) < maxPeeked {
		k.received = append(k.received, p...)
	}
}

// look is called when flate has read all that was received.
func (k *peek) look() error {
	if k.check == nil || len(k.received) == k.looked || len(k.received) > maxPeeked || !k.more() {
		return nil
	}
	if len(k.received) > firstBytes && len(k.received) < 2*k.looked {
		return nil
	}
	k.looked = len(k.received)
	aside := readers.Get().(*Reader)
	defer aside.Free()
	_ = aside.out.(flate.Resetter).Reset(bytes.NewReader(k.received), nil)
	b := buffer.New()
	defer b.Free()
	// Ignore the error: the data is incomplete.
	_, _ = b.ReadFrom(io.LimitReader(aside.out, maxPeekSize))
	return k.check(b.Bytes())
}
