//go:build linux

package load

import "syscall"

// RaiseConns raises the limit of descriptors, which the processes that are started from now on
// have too, so that n connections can be had. It returns how many can be.
func RaiseConns(n int) int {
	const others = 100 // descriptors that are no connections
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return n
	}
	need := uint64(n + others)
	if limit.Max < need { // Only the superuser may do this.
		raised := syscall.Rlimit{Cur: need, Max: need}
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) == nil {
			return n
		}
	}
	limit.Cur = max(limit.Cur, min(limit.Max, need))
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return min(n, int(limit.Cur)-others)
}
