//go:build unix

package transport

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// An interruption that comes while the reader sets a deadline of its own is not undone.
func TestInterruptRace(t *testing.T) {
	closing := errors.New("closing")
	for _, test := range []struct {
		name  string
		waits bool // for a message before, and is then busy until that deadline is over
		nth   int  // deadline that is set
	}{
		{"the first deadline is set", false, 1},
		{"one left over is removed", true, 2},
		{"the second deadline is set", true, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, o := &hookedConn{memConn: newMemConn(t)}, new(owner)
				config := anyFrames()
				config.Owner, config.IdleAfter = o, 100*ms
				o.interrupted = func(time.Duration) (time.Time, error) { return time.Time{}, closing }
				tr := newRaw(conn, nil, config)
				n := 0
				conn.hook = func() {
					if n++; n == test.nth {
						tr.Interrupt()
					}
				}
				if test.waits {
					receive(t, tr, conn.memConn, 40*ms)
					time.Sleep(200 * ms)
				}
				if took, err := after(awaitParkable(tr)); took != 0 || err != closing {
					t.Errorf("Await: %v after %v, want %v at once", err, took, closing)
				}
			})
		})
	}
}

// hookedConn calls hook before a read deadline is set.
type hookedConn struct {
	*memConn
	hook func()
}

func (c *hookedConn) SetReadDeadline(deadline time.Time) error {
	c.hook()
	return c.memConn.SetReadDeadline(deadline)
}

// An interruption that comes after the owner has decided, and before its deadline is set, has the
// owner asked again.
func TestInterruptWhileAsked(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		t.Run(fmt.Sprint(hidden), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				closing := errors.New("closing")
				conn, o := newMemConn(t), new(owner)
				config := anyFrames()
				config.Owner = o
				tr := newRaw(conn.hide(hidden), nil, config)
				asked := 0
				o.interrupted = func(time.Duration) (time.Time, error) {
					if asked++; asked > 1 {
						return time.Time{}, closing
					}
					tr.Interrupt() // by somebody else
					return time.Time{}, nil
				}
				tr.Interrupt()
				end := time.AfterFunc(time.Hour, conn.end)
				defer end.Stop()
				if took, err := after(awaitParkable(tr)); took != 0 || err != closing {
					t.Errorf("Await: %v after %v, want %v at once", err, took, closing)
				}
			})
		})
	}
}
