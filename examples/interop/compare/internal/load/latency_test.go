//go:build linux

package load

import (
	"bytes"
	"testing"
	"time"
)

// Each latency is in a bucket that begins at most 1/32 below it, and ends where the next begins.
func TestBuckets(t *testing.T) {
	for _, d := range []time.Duration{
		0, 1, 31, 32, 63, 64, 65, 66, 1000, 4095, 4096,
		time.Millisecond, 73 * time.Millisecond, time.Second, 1<<36 - 1,
	} {
		i := bucket(d)
		if low := bucketStart(i); low > d || d-low > d/32 {
			t.Errorf("%d ns is in bucket %d, which begins at %d ns", d, i, low)
		}
		if next := bucketStart(i + 1); next <= d {
			t.Errorf("%d ns is in bucket %d, but the next one begins at %d ns", d, i, next)
		}
	}
	if i := bucket(-1); i != 0 {
		t.Errorf("a negative latency is in bucket %d", i)
	}
	if i := bucket(time.Hour); i != buckets-1 {
		t.Errorf("an hour is in bucket %d, want the last one", i)
	}
}

func TestQuantile(t *testing.T) {
	var h histogram
	var before, after Latencies
	h.add(time.Second) // not counted
	h.addTo(&before)
	for n := range 100 {
		h.add(time.Duration(n + 1)) // 1 to 100 ns; from 64 on, two share a bucket
	}
	h.addTo(&after)
	l := after.Since(&before)
	for _, tt := range []struct {
		q    float64
		want time.Duration
	}{{0, 1}, {0.01, 1}, {0.5, 50}, {0.99, 98}, {1, 100}} {
		if got := l.Quantile(tt.q); got != tt.want {
			t.Errorf("quantile %v is %d ns, want %d", tt.q, got, tt.want)
		}
	}
	if got := new(Latencies).Quantile(0.99); got != 0 {
		t.Errorf("the quantile of nothing is %v", got)
	}
}

// Latencies are measured on the connection that asks at an interval, or else on all, if each has
// one message in flight.
func TestSessionMeasures(t *testing.T) {
	const delay = 2 * time.Millisecond
	addr := server(t, func(p []byte) []byte {
		time.Sleep(delay) // the latency to be measured
		return greet(p)
	})
	for _, tt := range []struct {
		name    string
		traffic Traffic
		timed   bool
	}{
		{"one in flight", Traffic{Conns: 3, Window: 1, Size: 128}, true},
		{"more", Traffic{Conns: 3, Window: 2, Size: 128}, false},
		{"asker", Traffic{Conns: 3, Window: 2, Size: 128, Every: 4 * time.Millisecond}, true},
	} {
		begun := time.Now()
		s, err := Open(addr, tt.traffic)
		if err != nil {
			t.Fatal(err)
		}
		wantReplies(t, s.Counts, 20)
		for tt.timed && measured(t, s) < 5 {
			if time.Since(begun) > timeout {
				t.Fatalf("%s: no latencies in %v", tt.name, timeout)
			}
			time.Sleep(time.Millisecond)
		}
		s.Close()
		c, _ := s.Counts()
		low, high := c.Latencies.Quantile(0), c.Latencies.Quantile(1)
		switch n := measured(t, s); {
		case !tt.timed && n > 0:
			t.Errorf("%s: %d latencies, want none", tt.name, n)
		case tt.timed && (low < delay*31/32 || high > time.Since(begun)):
			t.Errorf("%s: latencies from %v to %v, want at least %v", tt.name, low, high, delay)
		case tt.name == "one in flight" && n != c.Replies:
			t.Errorf("%s: %d latencies of %d replies", tt.name, n, c.Replies)
		}
	}
}

// measured returns the number of latencies.
func measured(t *testing.T, s *Session) uint64 {
	t.Helper()
	c, err := s.Counts()
	if err != nil {
		t.Fatal(err)
	}
	return c.Latencies.Total()
}

// The asker checks the answers as the loops do.
func TestAskerFindsOut(t *testing.T) {
	addr := server(t, func(p []byte) []byte {
		if bytes.HasPrefix(p, []byte("00000007")) { // The other connection has only 0 and 1.
			return p
		}
		return greet(p)
	})
	s, err := Open(addr, Traffic{Conns: 1, Window: 1, Size: 128, Every: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, err := s.Counts(); err != nil {
			wantError(t, "no greeting", err, "asking: reply 8 on a connection: differs at byte 0")
			return
		}
	}
	t.Error("the wrong answer was not detected")
}
