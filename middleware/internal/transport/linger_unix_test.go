//go:build unix

package transport

import (
	"testing"
	"testing/synctest"
	"time"
)

// Linger takes no longer than it may, and no longer than the client does.
func TestLingerTimes(t *testing.T) {
	for _, test := range []struct {
		name      string
		until     time.Duration // 0 for no limit
		ends      time.Duration
		sendsEach time.Duration // 0 for never
		want      time.Duration
	}{
		{"the client never ends", 100 * ms, 2 * time.Hour, 0, 100 * ms},
		{"the client sends on and never ends", 100 * ms, 2 * time.Hour, 30 * ms, 100 * ms},
		{"the client ends", 100 * ms, 70 * ms, 0, 70 * ms},
		{"the client sends on and ends", 100 * ms, 70 * ms, 30 * ms, 70 * ms},
		{"no limit", 0, time.Hour, 0, time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := newMemConn(t)
				tr := newRaw(conn, nil, anyFrames())
				end := time.AfterFunc(test.ends, conn.end)
				defer end.Stop()
				if test.sendsEach > 0 {
					for at := test.sendsEach; at < min(test.until, test.ends); at += test.sendsEach {
						time.AfterFunc(at, func() { conn.send(hello) })
					}
				}
				var until time.Time
				if test.until > 0 {
					until = time.Now().Add(test.until)
				}
				took, _ := after(func() error { tr.Linger(until); return nil })
				if took != test.want {
					t.Errorf("took %v, want %v", took, test.want)
				}
				select {
				case <-conn.halfClose:
				default:
					t.Error("the server's stream has not ended")
				}
				if !conn.closed {
					t.Error("the connection is not closed")
				}
			})
		})
	}
}
