package middleware

import (
	"context"
	"sync/atomic"
)

// mutex is a lock like sync.Mutex, but waiting for it can be given up, and a goroutine that waits is
// durably blocked in the sense of testing/synctest. It is cheaper than a channel when uncontended.
// The zero value is for one user at a time; others need newMutex.
type mutex struct {
	users    atomic.Int32  // the holder and those who wait
	unlocked chan struct{} // has an element while the lock passes to one who waits
}

func newMutex() mutex { return mutex{unlocked: make(chan struct{}, 1)} }

func (m *mutex) lock() {
	if !m.tryLock() {
		m.wait(context.Background())
	}
}

// tryLock reports whether it has acquired the lock. If not, wait must be called.
func (m *mutex) tryLock() bool { return m.users.Add(1) == 1 }

// wait reports whether it has acquired the lock before ctx was done.
func (m *mutex) wait(ctx context.Context) bool {
	select {
	case <-m.unlocked:
		return true
	case <-ctx.Done():
		return false
	}
}

func (m *mutex) unlock() {
	if m.users.Add(-1) == 0 {
		return
	}
	select {
	case m.unlocked <- struct{}{}:
	default: // Those who waited have given up.
	}
}
