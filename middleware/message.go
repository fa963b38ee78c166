package middleware

import (
	"io"
	"strconv"
	"sync"

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

// Buffers start small and grow with what has arrived. A buffer that one large message has
// made larger than maxPooled is left to the garbage collector, so that the pool cannot hold on
// to the largest messages ever seen.
const (
	minBuffer = 1 << 10
	maxPooled = 64 << 10
)

var bufferPool = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, minBuffer)} }}

// buffer is the payload of a message, from a pool.
type buffer struct{ b []byte }

func newBuffer() *buffer { return bufferPool.Get().(*buffer) }

func (b *buffer) free() {
	if cap(b.b) > maxPooled {
		return
	}
	b.b = b.b[:0]
	bufferPool.Put(b)
}

func (b *buffer) Write(p []byte) (int, error) {
	b.b = append(b.b, p...)
	return len(p), nil
}

// readFrom appends all that r has. Unlike [bytes.Buffer.ReadFrom] it reads into the
// room that is left before it asks for more.
func (b *buffer) readFrom(r io.Reader) error {
	for {
		if len(b.b) == cap(b.b) {
			b.b = append(b.b, 0)[:len(b.b)]
		}
		n, err := r.Read(b.b[len(b.b):cap(b.b)])
		b.b = b.b[:len(b.b)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
