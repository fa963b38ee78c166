package wstest

import (
	"net"
	"time"
)

// Pipe returns the two ends of a connection in memory.
func Pipe() (client, server net.Conn) { return pipe() }

// GoroutinesEnd reports whether the number of goroutines falls to n before the timeout.
func GoroutinesEnd(n int, timeout time.Duration) bool { return goroutinesEnd(n, timeout) }
