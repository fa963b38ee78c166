//go:build linux

package load

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"example.com/wsecho/middleware"
)

const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10

	finBit  = 0x80
	rsv1Bit = 0x40
)

// A script is the messages that every connection sends, in a cycle, and the expected replies. There
// are twice as many as can be in flight, each with its number in it, so that no reply can be taken
// for another.
type script struct {
	opcode  byte
	deflate bool
	window  int
	replies [][]byte // expected

	// The masked frames, one after the other. The first window of them is repeated at the end, so
	// that any run of frames can be sent with one write.
	frames []byte
	starts []int // of each frame, and the end of the last one
}

func newScript(t Traffic) *script {
	s := &script{opcode: opText, deflate: t.Deflate, window: t.Window}
	if t.Binary {
		s.opcode = opBinary
	}
	random := rand.New(rand.NewPCG(1, 2))
	count := 2 * t.Window
	for i := range count {
		message := appendMessage(nil, i, t.Size, random)
		s.replies = append(s.replies, append([]byte(middleware.Greeting), message...))
		first := finBit | s.opcode
		if t.Deflate {
			message = deflated(message)
			first |= rsv1Bit
		}
		s.starts = append(s.starts, len(s.frames))
		s.frames = appendFrame(s.frames, first, message, random.Uint32())
	}
	once := len(s.frames)
	s.frames = append(s.frames, s.frames[:s.starts[t.Window]]...)
	for i := range t.Window + 1 {
		s.starts = append(s.starts, once+s.starts[i])
	}
	return s
}

// run returns n frames from frame i on.
func (s *script) run(i, n int) []byte { return s.frames[s.starts[i]:s.starts[i+n]] }

// appendMessage appends message i to p: its number and then text like JSON, which compresses like
// that.
func appendMessage(p []byte, i, size int, random *rand.Rand) []byte {
	end := len(p) + size
	p = fmt.Appendf(p, "%08d", i)
	rooms := []string{"lobby", "kitchen", "workshop", "garden", "library", "attic"}
	for len(p) < end {
		p = fmt.Appendf(p, `,{"id":%d,"room":%q,"seen":%t,"score":%.3f}`,
			random.IntN(1e6), rooms[random.IntN(len(rooms))], random.IntN(2) == 0, random.Float64())
	}
	return p[:end]
}

// appendFrame appends a masked frame, as a client sends it.
func appendFrame(b []byte, first byte, payload []byte, key uint32) []byte {
	const masked = 0x80
	switch n := len(payload); {
	case n < 126:
		b = append(b, first, masked|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, first, masked|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, first, masked|127), uint64(n))
	}
	b = binary.BigEndian.AppendUint32(b, key)
	mask := b[len(b)-4:]
	for i, c := range payload {
		b = append(b, c^mask[i&3])
	}
	return b
}
