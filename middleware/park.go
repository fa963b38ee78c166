package middleware

import "time"

// A detached connection between two messages of a [MessageFunc] needs no goroutine, whose stack
// would be most of what it costs. Once it has been idle for a while it is parked: its goroutine
// ends, and another one goes on when there is something to read.
const (
	minParkAfter = 100 * time.Millisecond
	maxParkAfter = 5 * time.Second

	// worthParking is how long a connection has to stay parked, or else it is given more time
	// before the next.
	worthParking = 10 * time.Second
)

// isMessageLoop reports whether h keeps no state between messages but the connection itself.
func isMessageLoop(h Handler) bool {
	switch h.(type) {
	case MessageFunc, batched:
		return true
	}
	return false
}

// unparked adapts how long the connection waits before it is parked again.
func (c *Conn) unparked(after time.Duration) {
	t := c.transport
	t.idleAfter = min(2*t.idleAfter, maxParkAfter)
	if after >= worthParking {
		t.idleAfter = minParkAfter
	}
}
