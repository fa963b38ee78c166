package main

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// A plan is what is simulated: connections on machines behind a balancer that takes turns. Machine
// 0 is replaced: it is drained, and another one is added.
type plan struct {
	conns, machines int

	replaced time.Duration // when
	until    time.Duration // when the simulation ends
	spread   time.Duration // Options.DrainSpread
	maxAge   time.Duration // Options.MaxAge; 0 for none

	delay     time.Duration // after which clients come back, at random up to this
	handshake time.Duration // how long one takes, at random up to this
	unnoticed time.Duration // how long the balancer still sends clients to the drained machine
}

// A result is what was seen. Slices have an element for each second.
type result struct {
	handshakes []int // at the balancer, refused ones included
	added      []int // open connections of the machine that was added
	refused    int   // handshakes
	open       int   // connections at the end, when nobody is on the way
	drained    int   // of them on the drained machine
}

// schedule returns when a drain tells each of n connections, as [middleware.Middleware.Shutdown]
// does.
func schedule(n int, spread time.Duration) []time.Duration {
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = spread / time.Duration(n) * time.Duration(i)
	}
	return times
}

const (
	quiet      = 50 * time.Millisecond // in which a drain finds that a client sends nothing
	retryAfter = time.Second           // of a refusal
)

type kind uint8

const (
	arrives  kind = iota // A client reaches the balancer.
	accepted             // Its handshake is answered.
	told                 // Its connection is closed by the server.
	second               // A second has passed.
	replaced
)

type event struct {
	at     time.Duration
	kind   kind
	client int
	number int // of the client's connection that is told
}

type client struct {
	machine int
	number  int // of its connection
	open    bool
}

type simulation struct {
	plan
	result
	rand    *rand.Rand
	events  events
	now     time.Duration
	clients []client
	turn    int
	counted int // handshakes in this second
	onAdded int
}

// simulate returns the same result for the same plan.
func simulate(p plan) result {
	s := &simulation{plan: p, rand: rand.New(rand.NewPCG(1, 2)), clients: make([]client, p.conns)}
	for i := range s.clients {
		s.clients[i] = client{machine: i % p.machines, open: true}
		// Connections have all ages when it begins.
		s.limitAge(i, s.upTo(s.maxAge))
	}
	s.at(s.replaced, event{kind: replaced})
	s.at(time.Second, event{kind: second})
	for len(s.events) > 0 {
		e := heap.Pop(&s.events).(event)
		s.now = e.at
		s.happen(e)
	}
	for _, c := range s.clients {
		if c.open {
			s.open++
			if c.machine == 0 {
				s.result.drained++
			}
		}
	}
	return s.result
}

func (s *simulation) happen(e event) {
	switch e.kind {
	case arrives:
		s.arrive(e.client)
	case accepted:
		s.accept(e.client)
	case told:
		if c := &s.clients[e.client]; c.open && c.number == e.number {
			s.close(e.client)
		}
	case second:
		s.result.handshakes = append(s.result.handshakes, s.counted)
		s.added = append(s.added, s.onAdded)
		s.counted = 0
		if s.now < s.until {
			s.at(s.now+time.Second, event{kind: second})
		}
	case replaced:
		s.drain()
	}
}

// arrive chooses a machine in turn. The drained one refuses handshakes.
func (s *simulation) arrive(i int) {
	s.counted++
	first, last := 0, s.machines-1
	if s.now >= s.replaced {
		last = s.machines // the machine added
		if s.now >= s.replaced+s.unnoticed {
			first = 1
		}
	}
	s.turn++
	machine := first + s.turn%(last-first+1)
	if machine == 0 && s.now >= s.replaced {
		s.refused++
		s.at(s.now+retryAfter+s.upTo(s.delay), event{kind: arrives, client: i})
		return
	}
	s.clients[i].machine = machine
	s.at(s.now+s.upTo(s.handshake), event{kind: accepted, client: i})
}

// accept opens a connection. One whose machine is drained since it arrived is closed at once.
func (s *simulation) accept(i int) {
	c := &s.clients[i]
	c.number++
	c.open = true
	if c.machine == s.machines {
		s.onAdded++
	}
	if c.machine == 0 && s.now >= s.replaced {
		s.at(s.now+quiet, event{kind: told, client: i, number: c.number})
		return
	}
	s.limitAge(i, time.Duration(float64(s.maxAge)*(0.9+0.2*s.rand.Float64())))
}

// limitAge ends the connection when it is as old as MaxAge allows. When the simulation ends, nobody
// is closed any more, so that everybody comes back.
func (s *simulation) limitAge(i int, left time.Duration) {
	if s.maxAge > 0 && s.now+left < s.until {
		s.at(s.now+left, event{kind: told, client: i, number: s.clients[i].number})
	}
}

func (s *simulation) close(i int) {
	c := &s.clients[i]
	c.open = false
	if c.machine == s.machines {
		s.onAdded--
	}
	s.at(s.now+s.upTo(s.delay), event{kind: arrives, client: i})
}

func (s *simulation) drain() {
	var conns []int
	for i, c := range s.clients {
		if c.open && c.machine == 0 {
			conns = append(conns, i)
		}
	}
	s.rand.Shuffle(len(conns), func(i, j int) { conns[i], conns[j] = conns[j], conns[i] })
	for k, after := range schedule(len(conns), s.spread) {
		i := conns[k]
		s.at(s.now+after+quiet, event{kind: told, client: i, number: s.clients[i].number})
	}
}

func (s *simulation) upTo(d time.Duration) time.Duration {
	return time.Duration(s.rand.Float64() * float64(d))
}

func (s *simulation) at(t time.Duration, e event) {
	e.at = t
	heap.Push(&s.events, e)
}

// events are a heap by time.
type events []event

func (h events) Len() int           { return len(h) }
func (h events) Less(i, j int) bool { return h[i].at < h[j].at }
func (h events) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *events) Push(x any)        { *h = append(*h, x.(event)) }

func (h *events) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
