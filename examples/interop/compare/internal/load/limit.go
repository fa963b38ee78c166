//go:build linux

package load

import "syscall"

// RaiseConns raises the limit of open files for n connections, in this process and in those that it
// starts. It returns the number of connections that the limit allows.
func RaiseConns(n int) int {
	const others = 100 // descriptors that are no connections
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return n
	}
	need := uint64(n + others)
	if limit.Max < need { // Only root may raise the hard limit.
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
