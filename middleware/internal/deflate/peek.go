package deflate

import (
	"bytes"
	"compress/flate"
	"io"

	"example.com/wsecho/middleware/internal/buffer"
)

// compress/flate keeps back what it has inflated until that fills its window. To show an error in
// a message earlier, the beginning of one that has yet to arrive as a whole is inflated aside: so
// many bytes of it, so often, to so many bytes.
const (
	maxPeeked   = 4 << 10
	maxPeeks    = 32
	maxPeekSize = 32 << 10
)

// peek looks at the beginning of a message. The zero value does nothing.
type peek struct {
	check    func([]byte) error
	more     func() bool
	received []byte // the beginning of the payload
	looked   int    // how much of received was inflated
	peeks    int
}

// CheckEarly has check called with the beginning of what the payload inflates to, whenever all
// that was received has been read and more reports that the message goes on. The reader returns
// the error of check.
func (z *Reader) CheckEarly(check func([]byte) error, more func() bool) {
	z.peek.check, z.peek.more = check, more
}

func (k *peek) reset() { *k = peek{received: k.received[:0]} }

func (k *peek) keep(p []byte) {
	if k.check != nil && len(k.received) < maxPeeked {
		k.received = append(k.received, p...)
	}
}

// look is called when flate has used up all that was received.
func (k *peek) look() error {
	if k.check == nil || len(k.received) == k.looked || len(k.received) > maxPeeked ||
		k.peeks == maxPeeks || !k.more() {
		return nil
	}
	k.looked = len(k.received)
	k.peeks++
	aside := readers.Get().(*Reader)
	defer aside.Free()
	_ = aside.out.(flate.Resetter).Reset(bytes.NewReader(k.received), nil)
	b := buffer.New()
	defer b.Free()
	// The error says that the data is not complete, which is known.
	_, _ = b.ReadFrom(io.LimitReader(aside.out, maxPeekSize))
	return k.check(b.Bytes())
}
