package wstest

import (
	"encoding/binary"
	"fmt"
)

// Frame is a frame of the WebSocket protocol (RFC 6455 §5.2).
type Frame struct {
	First   byte   // FIN, the reserved bits and the opcode: 0x81 is a whole text, 0x89 a ping
	Payload string // unmasked
}

// Text returns a text message in one frame.
func Text(s string) Frame { return Frame{0x81, s} }

// Close returns a close frame.
func Close(code uint16, reason string) Frame {
	return Frame{0x88, string(binary.BigEndian.AppendUint16(nil, code)) + reason}
}

// maxShown is how many bytes of a payload the message of a test that has failed shows.
const maxShown = 200

// String describes the frame for the message of a test that has failed.
func (f Frame) String() string {
	payload := f.Payload
	if len(payload) > maxShown {
		payload = payload[:maxShown]
	}
	names := map[byte]string{0x81: "text", 0x82: "binary", 0x88: "close", 0x89: "ping", 0x8a: "pong"}
	name, ok := names[f.First]
	if !ok {
		name = fmt.Sprintf("frame %#02x", f.First)
	}
	if f.First == 0x88 && len(payload) >= 2 {
		name = fmt.Sprintf("close %d", binary.BigEndian.Uint16([]byte(payload)))
		payload = payload[2:]
	}
	if len(f.Payload) > maxShown {
		return fmt.Sprintf("%s %q... (%d bytes)", name, payload, len(f.Payload))
	}
	return fmt.Sprintf("%s %q", name, payload)
}

// Masked returns the bytes of the frame as a client sends it, under the masking key 1 2 3 4.
func (f Frame) Masked() string {
	b := append(f.header(0x80), 1, 2, 3, 4)
	for i := range len(f.Payload) {
		b = append(b, f.Payload[i]^byte(i%4+1))
	}
	return string(b)
}

// Unmasked returns the bytes of the frame as a server sends it.
func (f Frame) Unmasked() string { return string(f.header(0)) + f.Payload }

// header returns the header with the length in its shortest form.
func (f Frame) header(mask byte) []byte {
	switch n := len(f.Payload); {
	case n < 126:
		return []byte{f.First, mask | byte(n)}
	case n < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{f.First, mask | 126}, uint16(n))
	default:
		return binary.BigEndian.AppendUint64([]byte{f.First, mask | 127}, uint64(n))
	}
}
