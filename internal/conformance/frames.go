// Package conformance has what tests send to a WebSocket server, byte by byte, and what they expect
// of it, whatever the connection runs over. Programs do not need it.
package conformance

import "encoding/binary"

// Frame returns a client's frame: masked, its length in the shortest form.
func Frame(first byte, payload string) string {
	return Header(first, len(payload)) + Masked(payload)
}

// Text returns a client's text message.
func Text(payload string) string { return Frame(0x81, payload) }

// Closing returns a client's close frame.
func Closing(code uint16, reason string) string {
	return Frame(0x88, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}

// Header returns the first bytes of a client's frame, up to the key.
func Header(first byte, length int) string {
	switch {
	case length < 126:
		return string([]byte{first, 0x80 | byte(length)})
	case length < 1<<16:
		return string(binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(length)))
	}
	return string(binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, uint64(length)))
}

// Masked returns the key 1 2 3 4 and the payload under it.
func Masked(payload string) string {
	b := append([]byte{1, 2, 3, 4}, payload...)
	for i := range len(payload) {
		b[4+i] ^= byte(i%4 + 1)
	}
	return string(b)
}

// Reply returns a server's frame: unmasked.
func Reply(first byte, payload string) string {
	b := []byte(Header(first, len(payload)))
	b[1] &^= 0x80
	return string(b) + payload
}

// CloseReply returns a server's close frame.
func CloseReply(code uint16, reason string) string {
	return Reply(0x88, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}
