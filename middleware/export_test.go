package middleware

import "time"

// IsEcho reports whether f is a function of Echo, whose replies are not copied.
func IsEcho(f MessageFunc) bool { return codeOf(f) == echoCode }

// SetIdleAfter has connections parked that have been idle for that long.
func (m *Middleware) SetIdleAfter(d time.Duration) { m.idleAfter = d }
