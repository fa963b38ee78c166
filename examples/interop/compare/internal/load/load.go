//go:build linux

// Package load drives an echo server at a cost well below the server's own, so that what is
// measured is the server: frames are built beforehand and sent many at a time, replies are read
// many at a time and parsed no further than is needed to find out a wrong one.
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

// patience bounds every wait for something that should be immediate.
const patience = 10 * time.Second

// Traffic says what is sent.
type Traffic struct {
	Conns  int
	Window int  // messages in flight on each connection
	Size   int  // of a message, in bytes before compression
	Binary bool // instead of text
	// Deflate sends compressed messages, without context takeover, and requires that the server
	// agrees to permessage-deflate.
	Deflate bool
}

// Counts is what has come back so far.
type Counts struct {
	Replies, Frames uint64
	Dropped         uint64 // connections that ended before they should
}

// A Session is a number of connections over which messages go back and forth.
type Session struct {
	loops   []*loop
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
		l, err := newLoop(script)
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
	for _, l := range s.loops {
		s.running.Go(func() { s.run(l) })
	}
	return s, nil
}

// threads is how many loops there are: the generator is to take the smaller part of the machine.
func threads() int { return max(1, runtime.NumCPU()/2) }

func (s *Session) run(l *loop) {
	if err := l.run(&s.stopped); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.err == nil {
			s.err = err
		}
	}
}

// Counts returns what has come back, and the first thing that was wrong with it.
func (s *Session) Counts() (Counts, error) {
	var c Counts
	for _, l := range s.loops {
		c.Replies += l.replies.Load()
		c.Frames += l.frames.Load()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return c, s.err
}

// Close ends the session and all its connections.
func (s *Session) Close() {
	s.stopped.Store(true)
	s.running.Wait()
	s.close()
}

func (s *Session) close() {
	for _, l := range s.loops {
		l.close()
	}
}
