// Package poll waits for connections to become readable without a goroutine for each.
//
// It works on descriptors and functions. It must not know what the functions do.
package poll

import "syscall"

// Registration is a descriptor that waits. The zero value is not registered. It may be registered
// again after the wait, and must not be copied.
type Registration struct {
	conn syscall.RawConn
	fd   int32
	wake func()
}
