package transport

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"

	"example.com/wsecho/middleware/internal/frame"
)

// FuzzTransport sends a stream of frames in pieces, and reads it as the library does. What comes
// out is what a guard lets through of the stream as a whole, but for the control frames that Await
// has taken, and the error is the guard's.
func FuzzTransport(f *testing.F) {
	for _, stream := range []string{
		hello,
		pingA + pong + hello + pingB + closeBye + hello,
		"\x01\x81\x01\x02\x03\x04a" + pingA + "\x80\x81\x01\x02\x03\x04a" + pong + pong + pong + hello,
		"\xc2\xfe\x00\x7e\x01\x02\x03\x04" + strings.Repeat("\x89", 126) + pingA + hello,
		large + strings.Repeat("\x8a", largeSize) + pingB + hello + closeDone,
		strings.Repeat(pong, 100) + "\x91" + hello,
		strings.Repeat(pingA+hello, 100) + closeBye[:7],
		"\x81\x05hello",
	} {
		for seed := range uint64(3) {
			f.Add([]byte(stream), seed, true)
			f.Add([]byte(stream), seed, false)
		}
	}
	l := listen(f)
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64, socket bool) {
		random := rand.New(rand.NewPCG(seed, 0))
		guard := frame.NewGuard(random.IntN(2) == 0, int64(random.IntN(1<<16)))
		server, client := fuzzPair(t, l, socket)
		early := stream[:random.IntN(min(len(stream), 40)+1)]
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			sendAll(client, cut(stream[len(early):], rand.New(rand.NewPCG(seed, 1))))
		}()
		r := fuzzReader{owner: new(owner), random: random}
		config := Config{Owner: r.owner, Guard: guard, WriteTimeout: -1}
		r.Transport = New(server, slices.Clone(early), config)
		r.run()
		_ = server.Close()
		<-sent

		through, verdict := letThrough(guard, stream)
		if describe(r.err) != describe(verdict) {
			t.Errorf("ends with %v, want %v", r.err, verdict)
		}
		r.check(t, through)
		if want := compressed(stream[:len(through)]); !slices.Equal(r.compressed, want) {
			t.Errorf("compressed messages %v, want %v", r.compressed, want)
		}
	})
}

// letThrough returns what the guard lets through of the stream as a whole, and the verdict.
func letThrough(guard frame.Guard, stream []byte) (through []byte, verdict error) {
	through = slices.Clone(stream)
	at := 0
	for at < len(through) {
		n, err := guard.Advance(through[at:])
		at += n
		switch {
		case err != nil:
			return through[:at], err
		case guard.Closing():
			return through[:at], io.EOF
		}
	}
	return through[:at], io.EOF
}

// compressed tells it for each message of which all was let through.
func compressed(stream []byte) (messages []bool) {
	isCompressed := false
	for {
		first, size := plainFrame(stream)
		if size == 0 {
			return messages
		}
		if opcode := first & 0xf; opcode == 1 || opcode == 2 {
			isCompressed = first&0x40 != 0
		}
		if first&0x80 != 0 && first&0xf < 8 {
			messages = append(messages, isCompressed)
		}
		stream = stream[size:]
	}
}

func fuzzPair(t *testing.T, l net.Listener, socket bool) (server, client net.Conn) {
	t.Helper()
	server, client = net.Pipe()
	if socket {
		s, c := connect(t, l)
		_ = s.SetLinger(0) // so that the port can be used again
		server, client = s, c
	}
	bound(t, server, client)
	return server, client
}

// cut cuts the stream into pieces.
func cut(stream []byte, random *rand.Rand) (pieces []string) {
	for len(stream) > 0 {
		n := 1 + random.IntN(len(stream))
		pieces, stream = append(pieces, string(stream[:n])), stream[n:]
	}
	return pieces
}

// fuzzReader reads frames and lets Await take control frames between two messages.
type fuzzReader struct {
	*Transport
	owner  *owner
	random *rand.Rand

	got    []byte // by Read
	awaits []awaited
	err    error

	compressed []bool // of each message that was read

	frame      int // where the last frame in got begins that is not complete
	fragmented bool
}

// awaited is what a call of Await has done.
type awaited struct {
	at    int // so much had been read
	pings []string
}

// run reads to the end, with buffers of two sizes.
func (r *fuzzReader) run() {
	p := make([]byte, 20<<10)
	for r.err == nil {
		if r.isBetween() && r.random.IntN(8) > 0 {
			r.err = r.Await(true)
			r.awaits = append(r.awaits, awaited{len(r.got), slices.Clone(r.owner.pings)})
			if r.owner.pings = nil; r.err != nil {
				return
			}
		}
		size := 288
		if r.random.IntN(4) == 0 {
			size = len(p)
		}
		var n int
		n, r.err = r.Read(p[:size])
		r.got = append(r.got, p[:n]...)
		r.isBetween() // while Compressed is about the message that has been read
	}
}

// isBetween reports whether what was read ends between two messages.
func (r *fuzzReader) isBetween() bool {
	for {
		opcode, size := plainFrame(r.got[r.frame:])
		if size == 0 {
			return r.frame == len(r.got) && !r.fragmented
		}
		if opcode&0xf < 8 {
			r.fragmented = opcode&0x80 == 0
			if !r.fragmented {
				r.compressed = append(r.compressed, r.Compressed())
			}
		}
		r.frame += size
	}
}

// plainFrame returns the first byte and the size of the frame that p begins with, or 0 if that is
// not complete.
func plainFrame(p []byte) (first byte, size int) {
	if len(p) < 2 {
		return 0, 0
	}
	extended, length := 0, uint64(p[1]&0x7f)
	switch length {
	case 126:
		extended = 2
	case 127:
		extended = 8
	}
	head := 2 + extended + 4
	if len(p) < head {
		return 0, 0
	}
	if extended > 0 {
		length = 0
		for _, b := range p[2 : 2+extended] {
			length = length<<8 | uint64(b)
		}
	}
	if uint64(len(p)-head) < length {
		return 0, 0
	}
	return p[0], head + int(length)
}

// check compares what was read with what the guard lets through. Which pongs Await has skipped
// cannot be seen, so it follows all positions in the stream that are possible.
func (r *fuzzReader) check(t *testing.T, through []byte) {
	positions, read := []int{0}, 0
	for _, a := range append(r.awaits, awaited{at: len(r.got)}) {
		var next []int
		for _, at := range positions {
			piece := r.got[read:a.at]
			if bytes.HasPrefix(through[at:], piece) {
				next = append(next, withoutControl(through, at+len(piece), a.pings)...)
			}
		}
		slices.Sort(next)
		positions, read = slices.Compact(next), a.at
	}
	if !slices.Contains(positions, len(through)) {
		t.Errorf("read %q with pings %q, let through %q", r.got, r.awaits, through)
	}
}

// withoutControl returns where the stream may go on after the pings at that position, and any
// number of pongs around them.
func withoutControl(through []byte, at int, pings []string) (ends []int) {
	for {
		if len(pings) == 0 {
			ends = append(ends, at)
		}
		first, size := plainFrame(through[at:])
		switch {
		case size == 0 || first < 0x89:
			return ends
		case first == 0x89 && (len(pings) == 0 || pings[0] != unmasked(through[at:at+size])):
			return ends
		case first == 0x89:
			pings = pings[1:]
		}
		at += size
	}
}

// unmasked returns the payload of a control frame.
func unmasked(p []byte) string {
	plain := slices.Clone(p[6:])
	for i := range plain {
		plain[i] ^= p[2+i%4]
	}
	return string(plain)
}
