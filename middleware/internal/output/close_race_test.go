package output

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// yieldingSink lets other goroutines run while it is written to. It fails if two write at once.
type yieldingSink struct {
	sink
	t       *testing.T
	writing sync.Mutex
	random  *rand.Rand
}

func (s *yieldingSink) Write(p []byte) (int, error) {
	if !s.writing.TryLock() {
		s.t.Error("two writes to the network at once")
		s.writing.Lock()
	}
	defer s.writing.Unlock()
	for range s.random.IntN(20) {
		runtime.Gosched()
	}
	return s.sink.Write(p)
}

// Whatever races, the client gets whole frames, each as it was written, and the close frame last.
func TestCloseRace(t *testing.T) {
	for round := range 400 {
		out := &yieldingSink{t: t, random: rand.New(rand.NewPCG(uint64(round), 0))}
		tr := newOn(out, -1)
		batched := round%2 == 1
		if err := tr.SetBatched(batched, busy); err != nil {
			t.Fatal(err)
		}
		var written string // frames of the writer
		var all sync.WaitGroup
		all.Go(func() {
			written = writeFrames(t, tr, rand.New(rand.NewPCG(uint64(round), 1)))
		})
		for i, opcode := range []byte{0x9, 0xa} {
			all.Go(func() {
				for tr.Control(opcode, []byte("control")) == nil {
					runtime.Gosched()
				}
			})
			all.Go(func() { // the reader, or somebody else who sends
				for range 50 {
					if runtime.Gosched(); i == 0 && batched {
						_ = tr.Release()
						tr.Resume()
					} else {
						_ = tr.Flush()
					}
				}
			})
		}
		all.Go(func() {
			for range round % 100 {
				runtime.Gosched()
			}
			if err := tr.Close([]byte("\x03\xe8")); err != nil {
				t.Errorf("round %d: WriteClose: %v", round, err)
			}
		})
		all.Wait()
		wantClosed(t, tr)
		if err := checkFrames(strings.Join(out.writes, ""), written); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if tr.chunk != nil {
			t.Errorf("round %d: a chunk is kept", round)
		}
	}
}

// writeFrames writes frames in pieces until the connection is closed. It returns all that it has
// written.
func writeFrames(t *testing.T, tr *Output, random *rand.Rand) string {
	var written strings.Builder
	payload := strings.Repeat("payload ", 9<<10)
	for i := 0; ; i++ {
		var f string
		switch random.IntN(4) {
		case 0:
			f = fmt.Sprintf("\x81\x06%06d", i)
		case 1:
			f = "\x82\x7e\x0b\xb8" + payload[:3000]
		case 2:
			f = "\x82\x7e\xea\x60" + payload[:60000]
		case 3:
			f = "\x82\x7f\x00\x00\x00\x00\x00\x01\x11\x70" + payload[:70000]
		}
		for at := 0; at < len(f); {
			n := len(f) - at
			if random.IntN(2) == 0 {
				n = 1 + random.IntN(n)
			}
			if at == 0 {
				n = max(n, min(10, len(f))) // the header at least
			}
			if _, err := tr.Write([]byte(f[at : at+n])); err != nil {
				if at > 0 || !errors.Is(err, ErrClosed) {
					t.Errorf("Write: %v after %d bytes", err, at)
				}
				return written.String()
			}
			at += n
			runtime.Gosched()
		}
		written.WriteString(f)
		if err := tr.Flush(); err != nil {
			t.Errorf("Flush: %v", err)
		}
	}
}

// checkFrames takes the control frames out of what was sent, which has to end with a close frame,
// and compares the rest with what was written.
func checkFrames(sent, written string) error {
	const closeFrame = "\x88\x02\x03\xe8"
	end := len(sent) - len(closeFrame)
	if end < 0 || sent[end:] != closeFrame {
		return fmt.Errorf("%s ends without a close frame", shorten(sent[max(0, len(sent)-40):]))
	}
	for sent = sent[:end]; len(sent) > 0; {
		switch {
		case strings.HasPrefix(sent, "\x89\x07control"), strings.HasPrefix(sent, "\x8a\x07control"):
			sent = sent[9:]
			continue
		}
		length, header := int(sent[1]), 2
		switch length {
		case 126:
			length, header = int(sent[2])<<8|int(sent[3]), 4
		case 127:
			length, header = int(sent[7])<<16|int(sent[8])<<8|int(sent[9]), 10
		}
		size := min(header+length, len(sent))
		if !strings.HasPrefix(written, sent[:size]) {
			return fmt.Errorf("sent %s, written %s", shorten(sent), shorten(written))
		}
		sent, written = sent[size:], written[size:]
	}
	if written != "" {
		return fmt.Errorf("not sent: %s", shorten(written))
	}
	return nil
}
