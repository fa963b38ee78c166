package http2_test

import (
	"encoding/binary"
)

// frame is a client's frame, masked with the key 1 2 3 4.
func frame(first byte, payload string) string {
	b := appendLength([]byte{first}, len(payload), 0x80)
	b = append(b, 1, 2, 3, 4)
	for i := range len(payload) {
		b = append(b, payload[i]^byte(i%4+1))
	}
	return string(b)
}

func text(payload string) string { return frame(0x81, payload) }

func closing(code uint16, reason string) string {
	return frame(0x88, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}

// reply is a server's frame.
func reply(first byte, payload string) string {
	return string(appendLength([]byte{first}, len(payload), 0)) + payload
}

func closeReply(code uint16, reason string) string {
	return reply(0x88, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}

func appendLength(b []byte, n int, mask byte) []byte {
	switch {
	case n < 126:
		return append(b, mask|byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, mask|126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(b, mask|127), uint64(n))
}

const (
	hello     = "\x81\x85\x01\x02\x03\x04igohn" // "hello"
	helloBack = "\x81\x05hello"
	bye       = "\x88\x82\x01\x02\x03\x04\x02\xea" // 1000
	byeBack   = "\x88\x02\x03\xe8"
)
