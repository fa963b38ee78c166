package output

import (
	"strings"
	"testing"
	"testing/synctest"
)

// waitingWriters are ways for a writer to wait until another goroutine has sent a control frame.
var waitingWriters = []struct {
	name   string
	pieces []string // the last one waits
}{
	{"a large frame", []string{kib100}},
	{"a large last piece", []string{kib100[:10], kib100[10:]}},
	{"a large piece of two", []string{kib100[:90<<10], kib100[90<<10:]}},
	{"a small last piece that does not fit", []string{"\x82\x7e\xff\xfd", strings.Repeat("a", 64<<10-4), "b"}},
	{"a small frame that does not fit", []string{"\x82\x7e\xff\xfc" + strings.Repeat("a", 64<<10-4), "\x81\x01b"}},
	{"small frames", []string{"\x81\x05hello", "\x81\x05again"}},
}

// A control frame does not get into a frame whose writer waits for another control frame to be sent.
func TestControlBehindWaitingWriter(t *testing.T) {
	for _, test := range waitingWriters {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBlocked(false)
				go writeControl(t, b.Output, "\x89\x011")
				synctest.Wait()
				written := b.write(t, test.pieces...)
				writeControl(t, b.Output, "\x8a\x012")
				b.wantReceived(t, "\x89\x011"+strings.Join(test.pieces, "")+"\x8a\x012")
				<-written
			})
		})
	}
}

// WriteClose waits for a frame whose writer waits for a control frame to be sent.
func TestCloseBehindWaitingWriter(t *testing.T) {
	for _, test := range waitingWriters {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBlocked(false)
				go writeControl(t, b.Output, "\x89\x011")
				synctest.Wait()
				written := b.write(t, test.pieces...)
				closed := make(chan error, 1)
				go func() { closed <- b.Close(nil) }()
				synctest.Wait()
				b.wantReceived(t, "\x89\x011"+strings.Join(test.pieces, "")+"\x88\x00")
				<-written
				if err := <-closed; err != nil {
					t.Errorf("WriteClose: %v", err)
				}
			})
		})
	}
}
