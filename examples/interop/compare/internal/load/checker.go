//go:build linux

package load

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const (
	// Replies longer than wholeLimit are compared at both ends only, except one in wholeEvery:
	// comparing a long reply costs as much as receiving it.
	wholeLimit = 8 << 10
	wholeEvery = 8
	edge       = 64
)

// A checker checks the replies on one connection: their content, type, length and order. Servers
// may fragment them.
type checker struct {
	script  *script
	next    int // index of the expected reply
	replies uint64
	frames  uint64

	head   [10]byte // the received part of a frame's header
	inHead int
	first  byte // of the current frame
	left   int  // of its payload
	inside bool // the header is complete

	begun      bool // a message has begun
	compressed bool
	got        int  // bytes of its payload
	whole      bool // compare all of it
	message    []byte
	control    []byte
	// known has, for each reply, the last compressed bytes that inflated to it, so that the same
	// bytes need not be inflated again.
	known [][]byte
}

func newChecker(s *script, next int) *checker {
	c := &checker{script: s, next: next}
	if s.deflate {
		c.known = make([][]byte, len(s.replies))
	}
	return c
}

// feed checks the next bytes that have been read.
func (c *checker) feed(p []byte) error {
	for len(p) > 0 || c.inside && c.left == 0 {
		if !c.inside {
			n, err := c.header(p)
			if err != nil {
				return err
			}
			p = p[n:]
			continue
		}
		n := min(len(p), c.left)
		if err := c.payload(p[:n]); err != nil {
			return err
		}
		p, c.left = p[n:], c.left-n
		if c.left == 0 {
			c.inside = false
			if err := c.frameEnd(); err != nil {
				return err
			}
		}
	}
	return nil
}

// header consumes bytes of a frame's header and returns how many.
func (c *checker) header(p []byte) (int, error) {
	before := c.inHead
	c.inHead += copy(c.head[before:], p)
	size := headerSize(c.head[:c.inHead])
	if size == 0 || c.inHead < size {
		return c.inHead - before, nil
	}
	c.inHead = 0
	c.first, c.inside = c.head[0], true
	switch n := c.head[1]; {
	case n&0x80 != 0:
		return 0, c.wrong("a masked frame")
	case n < 126:
		c.left = int(n)
	case n == 126:
		c.left = int(binary.BigEndian.Uint16(c.head[2:]))
	default:
		c.left = int(binary.BigEndian.Uint64(c.head[2:]))
	}
	return size - before, c.frameStart()
}

// headerSize returns the size of the header that begins with p, or 0 if p is too short to tell.
func headerSize(p []byte) int {
	switch {
	case len(p) < 2:
		return 0
	case p[1]&0x7f == 126:
		return 4
	case p[1]&0x7f == 127:
		return 10
	}
	return 2
}

// frameStart checks a frame's header.
func (c *checker) frameStart() error {
	opcode := c.first & 0xf
	switch {
	case opcode >= opClose:
		c.control = c.control[:0]
		if c.left > 125 || c.first&(finBit|rsv1Bit) != finBit {
			return c.wrong("a malformed control frame")
		}
		return nil
	case opcode == 0:
		if !c.begun {
			return c.wrong("a continuation of nothing")
		}
		return c.tooLong()
	case c.begun:
		return c.wrong("a new message before the last one ended")
	case opcode != c.script.opcode:
		return c.wrong(fmt.Sprintf("opcode %d, want %d", opcode, c.script.opcode))
	}
	c.begun, c.got, c.message = true, 0, c.message[:0]
	c.compressed = c.first&rsv1Bit != 0
	if c.compressed && !c.script.deflate {
		return c.wrong("compressed, which was not agreed on")
	}
	c.whole = len(c.want()) <= wholeLimit || c.replies%wholeEvery == 0
	return c.tooLong()
}

func (c *checker) want() []byte { return c.script.replies[c.next] }

// tooLong detects a reply that is too long by the frame's header.
func (c *checker) tooLong() error {
	limit := len(c.want())
	if c.compressed {
		limit += limit/2 + 64
	}
	if c.left > limit-c.got {
		return c.wrong(fmt.Sprintf("%d bytes or more, want %d", c.got+c.left, len(c.want())))
	}
	return nil
}

func (c *checker) payload(p []byte) error {
	switch {
	case c.first&0xf >= opClose:
		c.control = append(c.control, p...)
		return nil
	case c.compressed:
		c.message = append(c.message, p...)
		c.got += len(p)
		return nil
	}
	from := c.got
	c.got += len(p)
	if want := c.want(); c.whole {
		return c.same(p, want, from, 0, len(want))
	} else if err := c.same(p, want, from, 0, edge); err != nil {
		return err
	} else {
		return c.same(p, want, from, len(want)-edge, len(want))
	}
}

// same compares the part of p, which is at offset from in the reply, that is between lo and hi.
func (c *checker) same(p, want []byte, from, lo, hi int) error {
	lo, hi = max(lo, from), min(hi, from+len(p))
	if lo >= hi || bytes.Equal(p[lo-from:hi-from], want[lo:hi]) {
		return nil
	}
	for p[lo-from] == want[lo] {
		lo++
	}
	return c.wrong(fmt.Sprintf("differs at byte %d, where %q came in place of %q",
		lo, p[lo-from:min(lo-from+16, len(p))], want[lo:min(lo+16, len(want))]))
}

// frameEnd checks a complete frame, and the message if that is complete too.
func (c *checker) frameEnd() error {
	switch c.first & 0xf {
	case opClose:
		return c.wrong("close " + closeText(c.control))
	case opPing, opPong:
		return nil // A session is shorter than the servers' pong timeouts.
	}
	c.frames++
	if c.first&finBit == 0 {
		return nil
	}
	if c.compressed {
		if err := c.checkInflated(); err != nil {
			return err
		}
	} else if c.got != len(c.want()) {
		return c.wrong(fmt.Sprintf("%d bytes, want %d", c.got, len(c.want())))
	}
	c.begun = false
	c.replies++
	if c.next++; c.next == len(c.script.replies) {
		c.next = 0
	}
	return nil
}

func (c *checker) checkInflated() error {
	if bytes.Equal(c.message, c.known[c.next]) {
		return nil
	}
	want := c.want()
	p, err := inflated(c.message, len(want))
	switch {
	case err != nil:
		return c.wrong(fmt.Sprintf("inflating: %v", err))
	case len(p) != len(want):
		return c.wrong(fmt.Sprintf("%d bytes when inflated, want %d", len(p), len(want)))
	}
	c.known[c.next] = bytes.Clone(c.message)
	return c.same(p, want, 0, 0, len(want))
}

func (c *checker) wrong(what string) error {
	return fmt.Errorf("reply %d on a connection: %s", c.replies+1, what)
}

func closeText(p []byte) string {
	if len(p) < 2 {
		return "without a code"
	}
	return fmt.Sprintf("%d %q", binary.BigEndian.Uint16(p), p[2:])
}
