package middleware

import (
	"bufio"
	"compress/flate"
	"errors"
	"io"
	"sync"

	"github.com/gorilla/websocket"
)

const (
	// minDeflate is the size in bytes from which a message is worth compressing.
	minDeflate = 128

	// syncMarker ends a flush of DEFLATE; it does not travel (RFC 7692 §7.2.1).
	syncMarker = "\x00\x00\xff\xff"

	// deflateTail is what the inflater finds behind a message: the marker, and a final empty
	// block, so that it ends.
	deflateTail = syncMarker + "\x01\x00\x00\xff\xff"
)

// deflatable reports whether a message of n bytes is to be compressed. Without context takeover
// no match reaches back further than the message is long, so that up to that length the window
// agreed on is kept exactly.
func (p *deflateParams) deflatable(n int) bool {
	return p != nil && n >= minDeflate && (p.windowBits == 0 || n <= 1<<p.windowBits)
}

var deflaters = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // The level is valid.
	return w
}}

// appendDeflated compresses p (RFC 7692 §7.2.1).
func appendDeflated(dst *buffer, p []byte) error {
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(dst)
	if _, err := w.Write(p); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	dst.end -= len(syncMarker)
	return nil
}

// inflater decompresses messages (RFC 7692 §7.2.2).
type inflater struct {
	payload io.Reader // nil once it has ended
	tail    string    // what is left of deflateTail
	in      *bufio.Reader
	out     io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	z := &inflater{}
	z.in = bufio.NewReader(inflaterInput{z})
	z.out = flate.NewReader(z.in)
	return z
}}

func newInflater(payload io.Reader) *inflater {
	z := inflaters.Get().(*inflater)
	z.payload, z.tail = payload, deflateTail
	z.in.Reset(inflaterInput{z})
	z.restart()
	return z
}

func (z *inflater) free() {
	z.payload = nil
	inflaters.Put(z)
}

func (z *inflater) restart() { _ = z.out.(flate.Resetter).Reset(z.in, nil) }

// inflaterInput reads the payload and the tail behind it.
type inflaterInput struct{ z *inflater }

func (in inflaterInput) Read(p []byte) (int, error) {
	z := in.z
	if z.payload != nil {
		n, err := z.payload.Read(p)
		if err != io.EOF {
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

func (z *inflater) Read(p []byte) (int, error) {
	for {
		n, err := z.out.Read(p)
		if err == io.EOF && n == 0 && !z.ended() {
			// A block marked as final need not be the last (RFC 7692 §7.2.3.5).
			z.restart()
			continue
		}
		if err == io.EOF && n > 0 {
			return n, nil
		}
		return n, inflateError(err)
	}
}

// ended reports whether nothing of the payload is left.
func (z *inflater) ended() bool {
	_, _ = z.in.Peek(1)
	return z.payload == nil && z.in.Buffered()+len(z.tail) <= len(deflateTail)
}

func inflateError(err error) error {
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) || errors.Is(err, io.ErrUnexpectedEOF) {
		return violation(websocket.CloseInvalidFramePayloadData, "invalid DEFLATE data")
	}
	return err
}
