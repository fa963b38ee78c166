package middleware

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// Frame header bits and opcodes (RFC 6455 §5.2).
const (
	fin  = 0x80
	rsv1 = 0x40
	rsv2 = 0x20
	rsv3 = 0x10
	mask = 0x80

	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa

	maxControlPayload = 125 // RFC 6455 §5.5
)

// maxEmptyFragments bounds the fragments of one message together with its size: each other
// fragment brings at least one of the bytes that the limit counts.
const maxEmptyFragments = 1024

// guard follows the frames that a client sends and stops at the first byte that breaks a rule:
// gorilla behind it is in places more lenient than RFC 6455, in others stricter. It looks at
// headers only, with one exception, the close frame, which is the last that counts and which
// gorilla does not get to see.
type guard struct {
	deflate bool  // permessage-deflate was agreed on
	limit   int64 // payload bytes of a message, before compression; negative for none

	// The frame being received.
	have     int // header bytes so far; 0 once the header is complete
	opcode   byte
	final    bool
	extended int // bytes of extended payload length
	length   uint64
	maskKey  [4]byte
	payload  uint64 // payload bytes still to come

	// The message being received.
	fragmented     bool // its final fragment is still to come
	compressed     bool
	size           uint64
	emptyFragments int

	compressedQueue []bool // of the messages let through
	taken           int    // of them
	closing         bool   // the frame being received is a close frame
	closePayload    []byte
}

// closeReceived reports the client's close frame.
type closeReceived struct {
	code   int // 1005 if there was none
	reason string
}

func (c *closeReceived) Error() string {
	return fmt.Sprintf("middleware: close frame received: %d %q", c.code, c.reason)
}

func violation(code int, format string, args ...any) error {
	return &CloseError{Code: code, Reason: fmt.Sprintf(format, args...)}
}

func protocolError(format string, args ...any) error {
	return violation(websocket.CloseProtocolError, format, args...)
}

// advance looks at the next bytes of the stream and returns how many of them may go on, and why
// not more: a [*CloseError] for a violation, or a [*closeReceived]. After that it is done.
func (g *guard) advance(p []byte) (int, error) {
	if g.closing {
		return 0, g.closeFrame(p)
	}
	for i := 0; i < len(p); {
		if g.payload > 0 {
			n := min(uint64(len(p)-i), g.payload)
			g.payload -= n
			i += int(n)
			continue
		}
		if err := g.header(&p[i]); err != nil {
			return i, err
		}
		if g.closing {
			return i, g.closeFrame(p[i+1:])
		}
		i++
	}
	return len(p), nil
}

// header takes the next byte of a frame header (RFC 6455 §5.2).
func (g *guard) header(b *byte) error {
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
		g.maskKey[g.have-lengthEnd-1] = *b
		if g.have == lengthEnd+len(g.maskKey) {
			g.have, g.payload = 0, g.length
		}
	}
	return nil
}

func (g *guard) firstByte(b *byte) error {
	g.opcode, g.final = *b&0x0f, *b&fin != 0
	g.extended, g.length = 0, 0
	compressed := *b&rsv1 != 0
	switch {
	case *b&(rsv2|rsv3) != 0:
		return protocolError("reserved bit set")
	case compressed && (!g.deflate || g.opcode != opText && g.opcode != opBinary):
		return protocolError("reserved bit RSV1 set")
	}
	switch g.opcode {
	case opText, opBinary:
		if g.fragmented {
			return protocolError("new message before the end of a fragmented one")
		}
		g.beginMessage(compressed)
		*b &^= rsv1 // gorilla need not know: the message layer inflates.
	case opContinuation:
		if !g.fragmented {
			return protocolError("continuation of no message")
		}
	case opClose, opPing, opPong:
		if !g.final {
			return protocolError("fragmented control frame")
		}
		g.closing = g.opcode == opClose
		return nil
	default:
		return protocolError("reserved opcode %d", g.opcode)
	}
	g.fragmented = !g.final
	return nil
}

func (g *guard) beginMessage(compressed bool) {
	g.compressed, g.size, g.emptyFragments = compressed, 0, 0
	if g.deflate {
		g.compressedQueue = append(g.compressedQueue, compressed)
	}
}

func (g *guard) secondByte(b byte) error {
	if b&mask == 0 {
		return protocolError("unmasked frame")
	}
	switch n := b &^ mask; {
	case g.opcode >= opClose && n > maxControlPayload:
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

func (g *guard) checkLength() error {
	switch {
	case g.extended == 2 && g.length < 126, g.extended == 8 && g.length <= math.MaxUint16:
		return protocolError("payload length not in its shortest form")
	case g.length > math.MaxInt64:
		return protocolError("payload length with its top bit set")
	case g.opcode >= opClose:
		return nil
	}
	if g.length == 0 && !g.final {
		g.emptyFragments++
	}
	if g.emptyFragments > maxEmptyFragments {
		return violation(websocket.ClosePolicyViolation,
			"more than %d empty fragments in one message", maxEmptyFragments)
	}
	if limit := g.wireLimit(); g.length > limit-g.size {
		return violation(websocket.CloseMessageTooBig, "message larger than %d bytes", g.limit)
	}
	g.size += g.length
	return nil
}

// wireLimit is the limit for what travels: a compressed message may be a little larger than
// what it inflates to. That is limited too, where it is inflated.
func (g *guard) wireLimit() uint64 {
	if g.limit < 0 {
		return math.MaxInt64
	}
	limit := uint64(g.limit)
	if g.compressed {
		limit += limit/8 + 1024
	}
	return limit
}

// takeCompressed reports whether the next message let through is compressed.
func (g *guard) takeCompressed() bool {
	if g.taken == len(g.compressedQueue) {
		return false
	}
	compressed := g.compressedQueue[g.taken]
	g.taken++
	if g.taken == len(g.compressedQueue) {
		g.compressedQueue, g.taken = g.compressedQueue[:0], 0
	}
	return compressed
}

// unfinished reports whether the message being received goes on.
func (g *guard) unfinished() bool { return g.fragmented || g.payload > 0 }

// controlFrame returns the control frame at the begin of p, which the guard has let through; its
// size is 0 if there is none, or not all of it.
func controlFrame(p []byte) (opcode byte, payload []byte, size int) {
	const head = 2 + 4
	if len(p) < head || p[0]&0x0f < opClose {
		return 0, nil, 0
	}
	size = head + int(p[1]&^mask)
	if len(p) < size {
		return 0, nil, 0
	}
	payload = p[head:size]
	for i := range payload {
		payload[i] ^= p[2+i%4]
	}
	return p[0] & 0x0f, payload, size
}

// closeFrame takes what follows the first byte of a close frame, and reports it once complete.
func (g *guard) closeFrame(p []byte) error {
	for i := range p {
		if g.have > 0 {
			if err := g.header(&p[i]); err != nil {
				return err
			}
		} else {
			g.closePayload = append(g.closePayload, p[i]^g.maskKey[len(g.closePayload)%4])
			g.payload--
		}
		if g.have == 0 && g.payload == 0 {
			return parseClose(g.closePayload)
		}
	}
	return nil
}

// parseClose reads the payload of a close frame (RFC 6455 §5.5.1).
func parseClose(payload []byte) error {
	if len(payload) == 0 {
		return &closeReceived{code: websocket.CloseNoStatusReceived}
	}
	code := int(binary.BigEndian.Uint16(payload))
	if !isCloseCode(code) {
		return protocolError("close code %d", code)
	}
	reason := payload[2:]
	if !utf8.Valid(reason) {
		return violation(websocket.CloseInvalidFramePayloadData, "close reason is not UTF-8")
	}
	return &closeReceived{code: code, reason: string(reason)}
}

// isCloseCode reports whether code may stand in a close frame (RFC 6455 §7.4 and the IANA
// registry of close codes).
func isCloseCode(code int) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014:
		return true
	}
	return code >= 3000 && code <= 4999
}
