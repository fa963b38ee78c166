//go:build !linux

package poll_test

import (
	"errors"
	"testing"

	"example.com/wsecho/middleware/internal/poll"
)

func TestUnsupported(t *testing.T) {
	var p poll.Poller
	var r poll.Registration
	err := p.Add(&r, nil, func() { t.Error("wake is called") })
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Add: %v, want %v", err, errors.ErrUnsupported)
	}
	if p.Wake(&r); p.Remove(&r) {
		t.Error("Remove reports true")
	}
	p.Close()
}
