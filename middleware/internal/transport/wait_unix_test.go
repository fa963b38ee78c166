//go:build unix

package transport

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Wait changes with each wait, and is 0 in between.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := newMemConn(t)
		tr := newRaw(conn, nil, anyFrames())
		seen := map[uint64]bool{}
		for i := range 3 {
			if got := tr.Wait(); got != 0 {
				t.Errorf("Wait %d of a reader that nobody calls: %d", i, got)
			}
			go func() {
				_ = tr.Await(true)
				_, _ = tr.Read(make([]byte, 288))
			}()
			synctest.Wait()
			got := tr.Wait()
			if got == 0 || seen[got] {
				t.Errorf("Wait %d: %d, which is 0 or has been", i, got)
			}
			seen[got] = true
			time.Sleep(time.Hour)
			if later := tr.Wait(); later != got {
				t.Errorf("Wait %d: %d, later %d", i, got, later)
			}
			conn.send(hello)
			synctest.Wait()
		}
	})
}

// A connection that cannot be parked, or is not to be, is never idle.
func TestNeverIdle(t *testing.T) {
	for _, test := range []struct {
		name      string
		hidden    bool // the descriptor
		idleAfter time.Duration
		mayPark   bool
	}{
		{"without a descriptor", true, ms, true},
		{"without a time", false, 0, true},
		{"awake", false, ms, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, config := newMemConn(t), anyFrames()
				config.IdleAfter = test.idleAfter
				tr := newRaw(conn.hide(test.hidden), nil, config)
				time.AfterFunc(time.Hour, func() { conn.send(hello) })
				await := func() error { return tr.Await(test.mayPark) }
				if took, err := after(await); took != time.Hour || err != nil {
					t.Errorf("Await: %v after %v", err, took)
				}
			})
		})
	}
}

// A reader is idle once it has waited for IdleAfter, whatever was before.
func TestIdle(t *testing.T) {
	const idleAfter = 100 * ms
	for _, test := range []struct {
		name   string
		before func(t *testing.T, tr *Transport, c *memConn)
		want   time.Duration
	}{
		{"at once", func(*testing.T, *Transport, *memConn) {}, idleAfter},
		{"after a message", func(t *testing.T, tr *Transport, c *memConn) { receive(t, tr, c, 0) }, idleAfter},
		{"after a pause", func(t *testing.T, tr *Transport, c *memConn) { receive(t, tr, c, 60*ms) }, idleAfter},
		{"after a short pause", func(t *testing.T, tr *Transport, c *memConn) { receive(t, tr, c, 40*ms) }, 60 * ms},
		{"after a long time", func(*testing.T, *Transport, *memConn) { time.Sleep(time.Hour) }, idleAfter},
		{"after a long time in a message", func(t *testing.T, tr *Transport, c *memConn) {
			receive(t, tr, c, 40*ms)
			time.Sleep(time.Hour)
		}, idleAfter},
		{"after a wait in a message", func(t *testing.T, tr *Transport, c *memConn) {
			receive(t, tr, c, 40*ms)
			time.AfterFunc(time.Hour, func() { c.send(hello) })
			if _, err := tr.Read(make([]byte, 288)); err != nil {
				t.Error(err)
			}
		}, idleAfter},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := newMemConn(t)
				config := anyFrames()
				config.IdleAfter = idleAfter
				tr := newRaw(conn, nil, config)
				test.before(t, tr, conn)
				if took, err := after(awaitParkable(tr)); took != test.want || err != ErrIdle {
					t.Errorf("Await: %v after %v, want %v after %v", err, took, ErrIdle, test.want)
				}
				if tr.Wait() == 0 {
					t.Error("an idle reader does not count as waiting")
				}
			})
		})
	}
}

// receive has a message come after the pause, and reads it.
func receive(t *testing.T, tr *Transport, c *memConn, pause time.Duration) {
	t.Helper()
	if pause > 0 {
		time.AfterFunc(pause, func() { c.send(hello) })
	} else {
		c.send(hello)
	}
	if took, err := after(awaitParkable(tr)); took != pause || err != nil {
		t.Errorf("Await: %v after %v, want a message after %v", err, took, pause)
	}
	p := make([]byte, 288)
	if n, err := tr.Read(p); string(p[:n]) != hello || err != nil {
		t.Errorf("Read: %q, %v", p[:n], err)
	}
}

// The owner is asked at once, and again when its time is over, until it has an error.
func TestInterrupt(t *testing.T) {
	closing := errors.New("closing")
	for _, test := range []struct {
		name  string
		early bool // Interrupt comes before the read
		read  func(*Transport) error
	}{
		{"in Await", false, func(tr *Transport) error { return tr.Await(true) }},
		{"before Await", true, func(tr *Transport) error { return tr.Await(true) }},
		{"in Read", false, func(tr *Transport) error { _, err := tr.Read(make([]byte, 288)); return err }},
		{"in a large Read", false, func(tr *Transport) error { _, err := tr.Read(make([]byte, 20<<10)); return err }},
		{"before Read", true, func(tr *Transport) error { _, err := tr.Read(make([]byte, 288)); return err }},
	} {
		for _, hidden := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", test.name, hidden), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					conn, o := newMemConn(t), new(owner)
					config := anyFrames()
					config.Owner, config.IdleAfter = o, 10*time.Second
					tr := newRaw(conn.hide(hidden), nil, config)
					answers := []time.Duration{50 * ms, 200 * ms}
					var waited []time.Duration
					o.interrupted = func(w time.Duration) (time.Time, error) {
						waited = append(waited, w)
						if len(waited) > len(answers) {
							return time.Time{}, closing
						}
						return time.Now().Add(answers[len(waited)-1]), nil
					}
					wantTook := 250 * ms
					if test.early {
						tr.Interrupt()
					} else {
						time.AfterFunc(time.Second, tr.Interrupt)
						wantTook += time.Second
					}
					if took, err := after(func() error { return test.read(tr) }); took != wantTook || err != closing {
						t.Errorf("ends after %v with %v, want %v after %v", took, err, closing, wantTook)
					}
					if want := []time.Duration{0, 50 * ms, 200 * ms}; !slices.Equal(waited, want) {
						t.Errorf("asked after %v, want %v", waited, want)
					}
				})
			})
		}
	}
}
