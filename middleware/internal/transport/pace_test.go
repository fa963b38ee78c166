package transport

import (
	"testing"
	"time"
)

// A burst of one second's worth is free, and at least one frame.
func TestPace(t *testing.T) {
	type step struct {
		after  time.Duration // the step before
		frames uint64        // so far
		want   time.Duration
	}
	for _, test := range []struct {
		name  string
		rate  float64
		steps []step
	}{
		{"burst", 10, []step{{0, 10, 0}, {0, 11, 100 * ms}, {0, 12, 200 * ms}}},
		{"steady", 10, []step{{0, 10, 0}, {100 * ms, 11, 0}, {100 * ms, 12, 0}, {50 * ms, 13, 50 * ms}}},
		{"no more than a second is saved", 10, []step{{time.Hour, 10, 0}, {0, 11, 100 * ms}}},
		{"slow", .5, []step{{0, 1, 0}, {0, 2, 2 * time.Second}, {2 * time.Second, 2, 0}}},
		{"at once", 1000, []step{{0, 8000, 7 * time.Second}}},
		{"almost never", 1e-300, []step{{0, 1, 0}, {0, 2, maxPause}}},
		{"nothing", 10, []step{{0, 0, 0}, {time.Hour, 0, 0}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPace(test.rate)
			now := p.at
			for i, s := range test.steps {
				now = now.Add(s.after)
				if got := p.pause(s.frames, now).Round(time.Microsecond); got != s.want {
					t.Errorf("step %d: %v, want %v", i+1, got, s.want)
				}
			}
		})
	}
}
