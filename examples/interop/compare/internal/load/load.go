//go:build linux

// Package load drives an echo server at a cost well below the server's, so that the server is what
// limits the rate: frames are built in advance and sent in batches; replies are read in batches and
// parsed only as far as needed to detect a wrong one.
//
// It uses epoll, and so runs on Linux only.
package load

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// timeout bounds every wait.
const timeout = 10 * time.Second

// Traffic describes what is sent.
type Traffic struct {
	Conns  int
	Window int  // messages in flight on each connection
	Size   int  // of a message, in bytes before compression
	Binary bool // instead of text
	// Deflate sends compressed messages, without context takeover, and requires that the server
	// agrees to permessage-deflate.
	Deflate bool
	// Every adds a connection that sends a message at this interval. If zero, there is none.
	Every time.Duration
}

// Counts has the numbers of replies received so far.
type Counts struct {
	Replies, Frames uint64
	Dropped         uint64 // connections that ended without an answer
	// Latencies are those of the connection that sends at an interval; without one, those of all
	// connections, if each has one message in flight.
	Latencies Latencies
}

// A Session is a set of connections on which messages are echoed.
type Session struct {
	loops   []*loop
	asker   *asker // or nil
	stopped atomic.Bool
	running sync.WaitGroup

	mu  sync.Mutex
	err error // the first one
}

// Open connects to the server at a host:port address and begins to send.
func Open(addr string, t Traffic) (*Session, error) {
	d, err := newDialer(addr, t.Deflate)
	if err != nil {
		return nil, err
	}
	s := &Session{}
	script := newScript(t)
	for range min(threads(), t.Conns) {
		l, err := newLoop(script, t.Window == 1 && t.Every == 0)
		if err != nil {
			s.close()
			return nil, err
		}
		s.loops = append(s.loops, l)
	}
	for i := range t.Conns {
		fd, err := d.dial(i)
		if err == nil {
			err = s.loops[i%len(s.loops)].add(fd, i)
		}
		if err != nil {
			s.close()
			return nil, fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	if t.Every > 0 {
		if s.asker, err = newAsker(d, t.Conns, t); err != nil {
			s.close()
			return nil, err
		}
		s.running.Go(func() { s.run(s.asker.run) })
	}
	for _, l := range s.loops {
		s.running.Go(func() { s.run(l.run) })
	}
	return s, nil
}

// threads returns the number of loops: half of the CPUs, to leave the other half to the server.
func threads() int { return max(1, runtime.NumCPU()/2) }

func (s *Session) run(f func(*atomic.Bool) error) {
	if err := f(&s.stopped); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.err == nil {
			s.err = err
		}
	}
}

// Counts returns the numbers of replies and frames, the latencies, and the first error.
func (s *Session) Counts() (Counts, error) {
	var c Counts
	for _, l := range s.loops {
		c.Replies += l.replies.Load()
		c.Frames += l.frames.Load()
		l.latencies.addTo(&c.Latencies)
	}
	if s.asker != nil {
		s.asker.latencies.addTo(&c.Latencies)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return c, s.err
}

// Close ends the session and all its connections.
func (s *Session) Close() {
	s.stopped.Store(true)
	if s.asker != nil {
		_ = s.asker.conn.Close()
	}
	s.running.Wait()
	s.close()
}

func (s *Session) close() {
	for _, l := range s.loops {
		l.close()
	}
}
