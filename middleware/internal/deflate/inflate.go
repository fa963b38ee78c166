package deflate

import (
	"bufio"
	"cmp"
	"compress/flate"
	"errors"
	"io"
	"sync"
)

// tail is appended to the payload: the marker that was not sent, and an empty final block.
const tail = syncMarker + "\x01\x00\x00\xff\xff"

// maxFinalBlocks bounds the final blocks in one message: each takes a reset of the decompressor for
// as little as two bytes.
const maxFinalBlocks = 1024

// Errors of a [Reader], beside those of what it reads from.
var (
	ErrCorrupt     = errors.New("invalid DEFLATE data")
	ErrFinalBlocks = errors.New("more than 1024 final DEFLATE blocks in one message")
)

// Reader decompresses one message (RFC 7692 §7.2.2). Create one with [NewReader].
type Reader struct {
	payload     io.Reader // nil once it has ended
	err         error     // of the payload
	tail        string    // what is left of it
	in          *bufio.Reader
	out         io.ReadCloser
	finalBlocks int
	peek        peek
}

var readers = sync.Pool{New: func() any {
	z := &Reader{}
	z.in = bufio.NewReader(input{z})
	z.out = flate.NewReader(z.in)
	return z
}}

// NewReader returns a reader from the pool for the compressed payload of one message.
func NewReader(payload io.Reader) *Reader {
	z := readers.Get().(*Reader)
	z.payload, z.err, z.tail, z.finalBlocks = payload, nil, tail, 0
	z.peek.reset()
	z.in.Reset(input{z})
	z.reset()
	return z
}

// Free returns the reader to the pool. It must not be used afterwards.
func (z *Reader) Free() {
	z.payload, z.err = nil, nil
	z.peek.reset()
	readers.Put(z)
}

// reset makes the decompressor start a new stream at the current input.
func (z *Reader) reset() { _ = z.out.(flate.Resetter).Reset(z.in, nil) }

// input reads the payload and then the tail.
type input struct{ z *Reader }

func (in input) Read(p []byte) (int, error) {
	z := in.z
	if z.payload != nil {
		n, err := z.readPayload(p)
		if err != io.EOF {
			z.err = err
			return n, err
		}
		z.payload = nil
		if n > 0 {
			return n, nil
		}
	}
	if z.tail == "" {
		return 0, io.EOF
	}
	n := copy(p, z.tail)
	z.tail = z.tail[n:]
	return n, nil
}

func (z *Reader) readPayload(p []byte) (int, error) {
	if err := z.peek.look(); err != nil {
		return 0, err
	}
	n, err := z.payload.Read(p)
	z.peek.keep(p[:n])
	return n, err
}

// Read decompresses the next bytes of the message.
func (z *Reader) Read(p []byte) (int, error) {
	for {
		n, err := z.out.Read(p)
		switch {
		case err != io.EOF:
			return n, z.readError(err)
		case n > 0:
			return n, nil
		}
		if err := z.nextStream(); err != nil {
			return 0, err
		}
	}
}

// nextStream is called after a final block. It returns io.EOF at the end of the message; more
// blocks may follow a final block (RFC 7692 §7.2.3.5).
func (z *Reader) nextStream() error {
	left, err := z.left()
	if err != nil || left < len(tail) { // The final block was that of the tail.
		return cmp.Or(err, io.EOF)
	}
	if z.finalBlocks++; z.finalBlocks > maxFinalBlocks {
		return ErrFinalBlocks
	}
	if left == len(tail) {
		_, _ = z.in.Discard(left) // The tail is not needed.
		return io.EOF
	}
	z.reset()
	return nil
}

// left returns how much of payload and tail is left; if there is more of the payload, it returns
// more than the size of the tail.
func (z *Reader) left() (int, error) {
	if _, err := z.in.Peek(1); err != nil && err != io.EOF {
		return 0, err
	}
	if z.payload != nil {
		return len(tail) + 1, nil
	}
	return z.in.Buffered() + len(z.tail), nil
}

// readError returns the error of the payload, or ErrCorrupt for one of flate.
func (z *Reader) readError(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case err == nil:
		return nil // What was decompressed before the payload's error comes first.
	case z.err != nil:
		return z.err
	case errors.As(err, &corrupt), err == io.ErrUnexpectedEOF:
		return ErrCorrupt
	}
	return err
}
