package middleware

import (
	"strconv"

	"github.com/gorilla/websocket"
)

// MessageType says how the payload of a message is to be understood (RFC 6455 §5.6).
type MessageType int

// The types of messages, numbered as their opcodes are.
const (
	TextMessage   MessageType = websocket.TextMessage   // UTF-8, verified
	BinaryMessage MessageType = websocket.BinaryMessage // any bytes
)

// String returns "text" or "binary".
func (t MessageType) String() string {
	switch t {
	case TextMessage:
		return "text"
	case BinaryMessage:
		return "binary"
	}
	return "MessageType(" + strconv.Itoa(int(t)) + ")"
}

// Message is a complete message, its text verified to be UTF-8 (RFC 6455 §8.1).
type Message struct {
	Type MessageType
	Data []byte // valid until the MessageFunc returns; may be changed
}
