//go:build !linux

package poll

import (
	"errors"
	"syscall"
)

// Supported is whether this platform has a Poller.
const Supported = false

// Poller is not implemented on this platform.
type Poller struct{}

// Add returns [errors.ErrUnsupported].
func (*Poller) Add(*Registration, syscall.RawConn, func()) error { return errors.ErrUnsupported }

// Remove returns false.
func (*Poller) Remove(*Registration) bool { return false }

// Wake does nothing.
func (*Poller) Wake(*Registration) {}

// Close does nothing.
func (*Poller) Close() {}
