// Package frame checks the frames of a client by the rules of RFC 6455: headers and opcodes (§5),
// UTF-8 (§8.1), close codes and close payloads (§7.4).
//
// It works on bytes. It must not know connections, messages, HTTP or the library that decodes the
// frames.
package frame

import (
	"encoding/binary"
	"fmt"
)

// Bits of the first two bytes of a frame header (RFC 6455 §5.2).
const (
	Fin  = 0x80
	RSV1 = 0x40
	rsv2 = 0x20
	rsv3 = 0x10

	opcodeBits = 0x0f

	mask       = 0x80
	lengthBits = 0x7f
)

// Opcodes (RFC 6455 §11.8).
const (
	Continuation = 0x0
	Text         = 0x1
	Binary       = 0x2
	Close        = 0x8
	Ping         = 0x9
	Pong         = 0xa
)

// MaxControlPayload is the largest payload of a control frame, in bytes (RFC 6455 §5.5).
const MaxControlPayload = 125

// Opcode returns the opcode in the first byte of a frame header.
func Opcode(first byte) byte { return first & opcodeBits }

// Violation is the error for a frame that breaks a rule. It has the close code and the reason to
// fail the connection with (RFC 6455 §7.1.7).
type Violation struct {
	Code   int
	Reason string
}

// Error returns code and reason in one line.
func (v *Violation) Error() string {
	return fmt.Sprintf("frame: violation: %d %q", v.Code, v.Reason)
}

func violation(code int, format string, args ...any) error {
	return &Violation{code, fmt.Sprintf(format, args...)}
}

func protocolError(format string, args ...any) error {
	return violation(ProtocolError, format, args...)
}

// maskKey is the key that the client masks a payload with (RFC 6455 §5.3).
type maskKey [4]byte

// MaxHeader is the size of the largest header of an unmasked frame, in bytes.
const MaxHeader = 2 + 8

// ParseHeader returns the sizes of the header and of the whole frame that p begins with, in bytes.
// The frame must be unmasked and its header complete.
func ParseHeader(p []byte) (header int, size uint64) {
	length := uint64(p[1] & lengthBits)
	header = 2
	switch length {
	case 126:
		header, length = 2+2, uint64(binary.BigEndian.Uint16(p[2:]))
	case 127:
		header, length = 2+8, binary.BigEndian.Uint64(p[2:])
	}
	return header, uint64(header) + length
}

// Control returns an unmasked control frame. The payload has at most [MaxControlPayload] bytes.
func Control(opcode byte, payload []byte) []byte {
	p := make([]byte, 0, 2+len(payload))
	return append(append(p, Fin|opcode, byte(len(payload))), payload...)
}

// ParseControl returns the control frame at the beginning of p, which a [Guard] has accepted, and
// its size in bytes. It unmasks the payload in place. The size is 0 if p begins with a data frame
// or does not contain the whole frame.
func ParseControl(p []byte) (opcode byte, payload []byte, size int) {
	const headerSize = 2 + len(maskKey{})
	if len(p) < headerSize || Opcode(p[0]) < Close {
		return 0, nil, 0
	}
	size = headerSize + int(p[1]&lengthBits)
	if len(p) < size {
		return 0, nil, 0
	}
	payload = p[headerSize:size]
	for i := range payload {
		payload[i] ^= p[2+i%len(maskKey{})]
	}
	return Opcode(p[0]), payload, size
}
