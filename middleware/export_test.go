package middleware

import "time"

// SetIdleAfter has connections parked that have been idle for that long.
func (m *Middleware) SetIdleAfter(d time.Duration) { m.idleAfter = d }
