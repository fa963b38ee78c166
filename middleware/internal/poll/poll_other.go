//go:build !linux

package poll

import (
	"errors"
	"syscall"
)

// Supported is false where nothing but a goroutine can wait for a connection.
const Supported = false

// Poller is of no use here.
type Poller struct{}

// Add returns an error: whoever wants to wait needs a goroutine.
func (*Poller) Add(*Registration, syscall.RawConn, func()) error { return errors.ErrUnsupported }

// Remove returns false, since nothing is registered.
func (*Poller) Remove(*Registration) bool { return false }

// Wake does nothing.
func (*Poller) Wake(*Registration) {}

// Close does nothing.
func (*Poller) Close() {}
