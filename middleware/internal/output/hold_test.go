package output

import "testing"

// Output is not held back if the reader waits already when batching begins.
func TestBatchedWhileWaiting(t *testing.T) {
	o, out := newOutput(-1)
	if err := o.SetBatched(true, func() bool { return true }); err != nil {
		t.Fatal(err)
	}
	writeFlush(t, o, "\x81\x01a")
	wantWrites(t, out, "\x81\x01a")
}
