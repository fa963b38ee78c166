package main

import (
	"context"
	"sync"

	"example.com/wsecho/middleware"
)

// A room has a queue of messages for each member. It closes a queue that is full.
type room struct {
	mu     sync.Mutex
	queues map[chan middleware.Message]bool
}

func newRoom() *room { return &room{queues: map[chan middleware.Message]bool{}} }

// serve writes to one member what is said, while listen reads what the member says.
func (r *room) serve(ctx context.Context, c *middleware.Conn) error {
	queue := make(chan middleware.Message, 64)
	r.mu.Lock()
	r.queues[queue] = true
	r.mu.Unlock()
	go r.listen(c, queue)
	for {
		select {
		case <-ctx.Done():
			return nil
		case m, ok := <-queue:
			if !ok {
				return &middleware.CloseError{Code: 1008, Reason: "too slow"} // Policy Violation
			}
			if err := c.WriteMessage(m.Type, m.Data); err != nil {
				return err
			}
		}
	}
}

func (r *room) listen(c *middleware.Conn, queue chan middleware.Message) {
	for {
		t, p, err := c.ReadMessage()
		r.mu.Lock()
		if err != nil || !r.queues[queue] { // A member that was dropped is not heard either.
			delete(r.queues, queue)
			r.mu.Unlock()
			return
		}
		for q := range r.queues {
			select {
			case q <- middleware.Message{Type: t, Data: p}:
			default: // Waiting for this member would hold up all others.
				delete(r.queues, q)
				close(q)
			}
		}
		r.mu.Unlock()
	}
}
