//go:build linux

package load

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// subBits is the number of bits of a latency that are kept: a bucket is at most 1/32 wider than its
// start.
const subBits = 5

// buckets is the number of buckets for latencies of up to 2^36 ns, about a minute.
const buckets = (36 - subBits + 1) << subBits

// A histogram counts latencies, with one writer and any number of readers.
type histogram [buckets]atomic.Uint64

func (h *histogram) add(d time.Duration) { h[bucket(d)].Add(1) }

// addTo adds the counts to l.
func (h *histogram) addTo(l *Latencies) {
	for i := range h {
		l[i] += h[i].Load()
	}
}

// bucket returns the index of the bucket for d. Latencies below 64 ns have a bucket each; above,
// each power of two is divided into 32 buckets.
func bucket(d time.Duration) int {
	n := uint64(max(d, 0))
	shift := max(bits.Len64(n)-subBits-1, 0)
	return min(shift<<subBits+int(n>>shift), buckets-1)
}

// bucketStart returns the smallest latency in bucket i.
func bucketStart(i int) time.Duration {
	shift := max(i>>subBits-1, 0)
	return time.Duration(i-shift<<subBits) << shift
}

// Latencies has the number of latencies in each bucket.
type Latencies [buckets]uint64

// Total returns the number of all latencies.
func (l *Latencies) Total() (total uint64) {
	for _, n := range l {
		total += n
	}
	return total
}

// Since returns the latencies that were counted after before was.
func (l *Latencies) Since(before *Latencies) *Latencies {
	since := *l
	for i, n := range before {
		since[i] -= n
	}
	return &since
}

// Quantile returns the latency that the share q of all does not exceed, rounded down by at most
// 3 %, or 0 if there are none.
func (l *Latencies) Quantile(q float64) time.Duration {
	total, seen := l.Total(), uint64(0)
	for i, n := range l {
		seen += n
		if seen > 0 && float64(seen) >= q*float64(total) {
			return bucketStart(i)
		}
	}
	return 0
}
