package frame

import "math"

// maxEmptyFragments and the size limit together bound the fragments of one message: each other
// fragment has at least one byte.
const maxEmptyFragments = 1024

// Guard checks the frames of a client and stops at the first byte that breaks a rule. The library
// behind it is more lenient than RFC 6455 in some places and stricter in others. The guard checks
// headers only, except for the close frame, which it parses and does not pass on. Create one with
// [NewGuard].
type Guard struct {
	limit int64

	// The frame being received. The small fields are together, to save memory.
	length   uint64
	payload  uint64 // payload bytes still to come
	key      maskKey
	opcode   byte
	final    bool
	closing  bool  // it is a close frame
	have     uint8 // header bytes so far; 0 once the header is complete
	extended uint8 // bytes of extended payload length

	// The message being received.
	deflate        bool // it may be compressed
	fragmented     bool // its final fragment is still to come
	compressed     bool
	emptyFragments uint16
	size           uint64 // with all of the current frame
	received       uint64 // payload bytes

	frames       uint64 // messages begun and control frames, so far
	closePayload []byte
}

// NewGuard returns a guard for a stream of frames. If deflate is true, messages may be compressed
// (RFC 7692). The limit is the maximum payload of a message, in bytes after decompression; if
// negative, there is no limit.
func NewGuard(deflate bool, limit int64) Guard { return Guard{deflate: deflate, limit: limit} }

// Advance checks the next bytes of the stream, up to the end of a message. It returns how many of
// them may be passed on; the others must be given to the next call, unless they belong to a close
// frame. The error is a [*Violation] or a [*CloseReceived], after which Advance must not be called.
// Advance clears RSV1 in p: see [Guard.Compressed].
func (g *Guard) Advance(p []byte) (int, error) {
	if g.closing {
		return 0, g.closeFrame(p)
	}
	for i := 0; i < len(p); {
		if g.payload > 0 {
			n := min(uint64(len(p)-i), g.payload)
			g.payload -= n
			if g.opcode < Close {
				g.received += n
			}
			i += int(n)
		} else if err := g.header(&p[i]); err != nil {
			return i, err
		} else if g.closing {
			return i, g.closeFrame(p[i+1:])
		} else {
			i++
		}
		if g.atMessageEnd() {
			return i, nil
		}
	}
	return len(p), nil
}

func (g *Guard) atMessageEnd() bool {
	return g.final && g.opcode < Close && g.have == 0 && g.payload == 0
}

// Frames returns how many messages and control frames have begun.
func (g *Guard) Frames() uint64 { return g.frames }

// Closing reports whether the bytes after those passed on belong to a close frame.
func (g *Guard) Closing() bool { return g.closing }

// Payload returns how many payload bytes of the current frame are still to come.
func (g *Guard) Payload() uint64 { return g.payload }

// header takes the next byte of a frame header (RFC 6455 §5.2).
func (g *Guard) header(b *byte) error {
	g.have++
	switch lengthEnd := 2 + g.extended; {
	case g.have == 1:
		return g.firstByte(b)
	case g.have == 2:
		return g.secondByte(*b)
	case g.have <= lengthEnd:
		g.length = g.length<<8 | uint64(*b)
		if g.have == lengthEnd {
			return g.checkLength()
		}
	default:
		g.key[g.have-lengthEnd-1] = *b
		if g.have == lengthEnd+uint8(len(g.key)) {
			g.have, g.payload = 0, g.length
		}
	}
	return nil
}

func (g *Guard) firstByte(b *byte) error {
	g.opcode, g.final = Opcode(*b), *b&Fin != 0
	g.extended, g.length = 0, 0
	compressed := *b&RSV1 != 0
	switch {
	case *b&(rsv2|rsv3) != 0:
		return protocolError("reserved bit set")
	case compressed && (!g.deflate || g.opcode != Text && g.opcode != Binary):
		return protocolError("reserved bit RSV1 set")
	}
	if g.opcode != Continuation {
		g.frames++
	}
	switch g.opcode {
	case Text, Binary:
		if g.fragmented {
			return protocolError("new message before the end of a fragmented one")
		}
		g.beginMessage(compressed)
		*b &^= RSV1
	case Continuation:
		if !g.fragmented {
			return protocolError("continuation of no message")
		}
	case Close, Ping, Pong:
		if !g.final {
			return protocolError("fragmented control frame")
		}
		g.closing = g.opcode == Close
		return nil
	default:
		return protocolError("reserved opcode %d", g.opcode)
	}
	g.fragmented = !g.final
	return nil
}

func (g *Guard) beginMessage(compressed bool) {
	g.compressed, g.size, g.received, g.emptyFragments = compressed, 0, 0, 0
}

func (g *Guard) secondByte(b byte) error {
	if b&mask == 0 {
		return protocolError("unmasked frame")
	}
	switch n := b & lengthBits; {
	case g.opcode >= Close && n > MaxControlPayload:
		return protocolError("control frame larger than 125 bytes")
	case g.closing && n == 1:
		return protocolError("close frame with half a code")
	case n == 126:
		g.extended = 2
	case n == 127:
		g.extended = 8
	default:
		g.length = uint64(n)
		return g.checkLength()
	}
	return nil
}

func (g *Guard) checkLength() error {
	switch {
	case g.extended == 2 && g.length < 126, g.extended == 8 && g.length <= math.MaxUint16:
		return protocolError("payload length not in its shortest form")
	case g.length > math.MaxInt64:
		return protocolError("payload length with its top bit set")
	case g.opcode >= Close:
		return nil
	}
	if g.length == 0 && !g.final {
		g.emptyFragments++
	}
	if g.emptyFragments > maxEmptyFragments {
		return violation(PolicyViolation,
			"more than %d empty fragments in one message", maxEmptyFragments)
	}
	if limit := g.wireLimit(); g.length > limit-g.size {
		return TooBig(int64(min(limit, uint64(g.limit))))
	}
	g.size += g.length
	return nil
}

// wireLimit is the limit for the payload as received. A compressed message may be a little larger
// than its decompressed payload, whose size is checked elsewhere.
func (g *Guard) wireLimit() uint64 {
	if g.limit < 0 {
		return math.MaxInt64
	}
	limit := uint64(g.limit)
	if g.compressed {
		limit += limit/8 + 1024
	}
	return limit
}

// TooBig returns the violation for a message larger than limit bytes.
func TooBig(limit int64) error {
	return violation(MessageTooBig, "message larger than %d bytes", limit)
}

// Received returns how many payload bytes of the current message were passed on.
func (g *Guard) Received() uint64 { return g.received }

// Compressed reports whether the current message is compressed.
func (g *Guard) Compressed() bool { return g.compressed }

// InMessage reports whether the current message is incomplete.
func (g *Guard) InMessage() bool {
	return g.fragmented || g.opcode < Close && (g.have > 0 || g.payload > 0)
}

// closeFrame takes the next bytes of a close frame, and returns an error once it is complete.
func (g *Guard) closeFrame(p []byte) error {
	for i := range p {
		if g.have > 0 {
			if err := g.header(&p[i]); err != nil {
				return err
			}
		} else {
			g.closePayload = append(g.closePayload, p[i]^g.key[len(g.closePayload)%len(g.key)])
			g.payload--
		}
		if g.have == 0 && g.payload == 0 {
			return parseClose(g.closePayload)
		}
	}
	return nil
}
