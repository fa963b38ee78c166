package middleware

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/flate"
	"errors"
	"io"
	"sync"

	"github.com/gorilla/websocket"
)

const (
	// minDeflate is the size in bytes from which a message is worth compressing. Without context
	// takeover, below it JSON or prose gets smaller by less than a third, which is some 70 bytes,
	// and takes as long as everything else that is done for a message.
	minDeflate = 256

	// syncMarker ends a flush of DEFLATE; it does not travel (RFC 7692 §7.2.1).
	syncMarker = "\x00\x00\xff\xff"

	// deflateTail is what the inflater finds behind a message: the marker, and a final empty
	// block, so that it ends.
	deflateTail = syncMarker + "\x01\x00\x00\xff\xff"

	// flate keeps back what it has inflated until that fills its window. To find out sooner that
	// a text is none, the beginning of a message that has yet to arrive as a whole is inflated
	// aside: so many bytes of it, so often, to so much text.
	maxPeeked   = 4 << 10
	maxPeeks    = 32
	maxPeekText = 32 << 10
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

	unfinished func() bool // whether more of the message is to come; nil if it is not text
	received   []byte      // the beginning of the payload, if it is text
	peeked     int         // how much of received was looked at
	peeks      int
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
	z.unfinished, z.received, z.peeked, z.peeks = nil, z.received[:0], 0, 0
	z.in.Reset(inflaterInput{z})
	z.restart()
	return z
}

func (z *inflater) free() {
	z.payload, z.unfinished = nil, nil
	inflaters.Put(z)
}

func (z *inflater) restart() { _ = z.out.(flate.Resetter).Reset(z.in, nil) }

// inflaterInput reads the payload and the tail behind it.
type inflaterInput struct{ z *inflater }

func (in inflaterInput) Read(p []byte) (int, error) {
	z := in.z
	if z.payload != nil {
		if err := z.peekText(); err != nil {
			return 0, err
		}
		n, err := z.payload.Read(p)
		z.keepText(p[:n])
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
		if err != io.EOF {
			return n, inflateError(err)
		}
		if n > 0 {
			return n, nil
		}
		if ended, err := z.ended(); ended || err != nil {
			return 0, cmp.Or(err, io.EOF)
		}
		// A block marked as final need not be the last (RFC 7692 §7.2.3.5).
		z.restart()
	}
}

// keepText keeps the beginning of a text to look at.
func (z *inflater) keepText(p []byte) {
	if z.unfinished != nil && len(z.received) < maxPeeked {
		z.received = append(z.received, p...)
	}
}

// peekText is called when flate has used up all there is, and fails if that is no text.
func (z *inflater) peekText() error {
	if len(z.received) == z.peeked || len(z.received) > maxPeeked || z.peeks == maxPeeks ||
		!z.unfinished() {
		return nil
	}
	z.peeked = len(z.received)
	z.peeks++
	aside := inflaters.Get().(*inflater)
	defer aside.free()
	_ = aside.out.(flate.Resetter).Reset(bytes.NewReader(z.received), nil)
	var text textChecker
	b := newBuffer()
	defer b.free()
	// The error says that the data is not complete, as it is not.
	_, _ = b.ReadFrom(io.LimitReader(aside.out, maxPeekText))
	if !text.valid(b.bytes()) {
		return violation(websocket.CloseInvalidFramePayloadData, "text is not UTF-8")
	}
	return nil
}

// ended reports whether nothing of the payload is left.
func (z *inflater) ended() (bool, error) {
	if _, err := z.in.Peek(1); err != nil && err != io.EOF {
		return false, err
	}
	return z.payload == nil && z.in.Buffered()+len(z.tail) <= len(deflateTail), nil
}

func inflateError(err error) error {
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) || errors.Is(err, io.ErrUnexpectedEOF) {
		return violation(websocket.CloseInvalidFramePayloadData, "invalid DEFLATE data")
	}
	return err
}
