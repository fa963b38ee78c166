//go:build unix

package transport

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// sentAt is what the client sends, and when.
type sentAt struct {
	at time.Duration
	s  string
}

func every(pause time.Duration, n int, s string) (sent []sentAt) {
	for i := range n {
		sent = append(sent, sentAt{time.Duration(i+1) * pause, s})
	}
	return sent
}

// A message fails when the reader has waited for too long for 256 KiB of it.
func TestReadTimeout(t *testing.T) {
	const second = time.Second
	const slow = "violation 1008: message slower than 256 KiB in 10s"
	const mib = "\x82\xff\x00\x00\x00\x00\x00\x10\x00\x00\x01\x02\x03\x04" // the header of 1 MiB
	const fragment, last = "\x01\x81\x01\x02\x03\x04a", "\x80\x81\x01\x02\x03\x04a"
	kib32 := strings.Repeat("a", 32<<10)
	begin := func(s string, then ...sentAt) []sentAt { return append([]sentAt{{0, s}}, then...) }
	for _, test := range []struct {
		name    string
		timeout time.Duration
		sent    []sentAt // then the stream ends after an hour
		took    time.Duration
		err     string
	}{
		{"nothing", 10 * second, nil, time.Hour, "EOF"},
		{"a header alone", 10 * second, begin(mib), 10 * second, slow},
		{"a byte alone", 10 * second, begin("\x81"), 10 * second, slow},
		{"no timeout", -1, begin(mib), time.Hour, "EOF"},
		{"a timeout of zero", 0, begin(mib), time.Hour, "EOF"},
		{"a long time after a message", 10 * second, begin(hello), time.Hour, "EOF"},
		{"a byte each second", 10 * second, begin(mib, every(second+second/10, 60, "a")...), 10 * second, slow},
		{"slow enough", 10 * second, begin(mib, every(second+second/8, 32, kib32)...), time.Hour, "EOF"},
		{"too slow", 10 * second, begin(mib, every(second+second/2, 32, kib32)...), 10 * second, slow},
		{"too slow later", 10 * second, begin(mib, append(every(ms, 9, kib32), every(3*second, 23, kib32)...)...), 10*second + 8*ms, slow},
		{"many messages", 10 * second, every(9*second, 60, hello), time.Hour, "EOF"},
		{"many messages, each in two parts", 10 * second, every(9*second, 60, hello[8:]+hello[:8]), 9*60*second + 10*second, slow},
		{"fragments", 10 * second, begin(fragment), 10 * second, slow},
		{"fragments with pings", 10 * second, begin(fragment, every(4*second, 60, pingA)...), 10 * second, slow},
		{"fragments with an end", 10 * second, begin(fragment, sentAt{9 * second, last}), time.Hour, "EOF"},
		{"a part of a ping", 10 * second, begin(pingA[:3], sentAt{30 * second, pingA[3:]}), time.Hour, "EOF"},
	} {
		for _, hidden := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", test.name, hidden), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					conn, config := newMemConn(t), anyFrames()
					config.ReadTimeout = test.timeout
					received := ""
					if strings.HasPrefix(test.name, "many messages, each") {
						received = hello[:8]
					}
					tr := newRaw(conn.hide(hidden), []byte(received), config)
					for _, s := range append(test.sent, sentAt{time.Hour, ""}) {
						timer := time.AfterFunc(s.at, func() {
							if conn.send(s.s); s.s == "" {
								conn.end()
							}
						})
						defer timer.Stop()
					}
					took, err := after(func() error {
						_, err := read(tr, 20<<10)
						return err
					})
					if took != test.took || describe(err) != test.err {
						t.Errorf("got %s after %v, want %s after %v", describe(err), took, test.err, test.took)
					}
				})
			})
		}
	}
}

// The time in which the reader does not wait does not count.
func TestReadTimeoutWhileBusy(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			conn, config := newMemConn(t), anyFrames()
			config.ReadTimeout = 10 * time.Second
			tr := newRaw(conn.hide(hidden), nil, config)
			p := make([]byte, 1)
			for i := range 3 * len(hello) {
				if i%len(hello) > 0 {
					time.Sleep(time.Hour)
				}
				conn.send(hello[i%len(hello):][:1])
				if _, err := io.ReadFull(tr, p); err != nil {
					t.Fatalf("byte %d: %v", i, err)
				}
			}
		})
	}
}

// What is left of the deadline for a message does not change when the reader is idle, nor the
// other way round.
func TestReadTimeoutAndIdle(t *testing.T) {
	for _, test := range []struct{ idleAfter, pause, want time.Duration }{
		{100 * ms, 0, 60 * ms}, // The reader has not waited within the message.
		{100 * ms, 90 * ms, 100 * ms},
		{100 * ms, 4 * time.Second, 100 * ms},
		{4 * time.Second, 100 * ms, 4 * time.Second},
		{4 * time.Second, 9 * time.Second, 4 * time.Second},
	} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, config := newMemConn(t), anyFrames()
				config.ReadTimeout, config.IdleAfter = 10*time.Second, test.idleAfter
				tr := newRaw(conn, nil, config)
				time.AfterFunc(40*ms, func() { conn.send(hello[:3]) })
				if took, err := after(awaitParkable(tr)); took != 40*ms || err != nil {
					t.Errorf("Await: %v after %v", err, took)
				}
				if test.pause == 0 {
					conn.send(hello[3:])
				} else {
					time.AfterFunc(test.pause, func() { conn.send(hello[3:]) })
				}
				if _, err := io.ReadFull(tr, make([]byte, len(hello))); err != nil {
					t.Error(err)
				}
				if took, err := after(awaitParkable(tr)); took != test.want || err != ErrIdle {
					t.Errorf("Await: %v after %v, want %v after %v", err, took, ErrIdle, test.want)
				}
			})
		})
	}
}

// An interrupted reader waits as its owner says.
func TestReadTimeoutInterrupted(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			conn, config, o := newMemConn(t), anyFrames(), new(owner)
			config.ReadTimeout, config.Owner = 10*time.Second, o
			o.interrupted = func(waited time.Duration) (time.Time, error) {
				if waited > 0 {
					return time.Time{}, io.ErrNoProgress
				}
				return time.Now().Add(time.Minute), nil
			}
			tr := newRaw(conn.hide(hidden), []byte(hello[:8]), config)
			time.AfterFunc(5*time.Second, tr.Interrupt)
			took, err := after(func() error { _, err := read(tr, 288); return err })
			if took != 65*time.Second || err != io.ErrNoProgress {
				t.Errorf("Read: %v after %v, want %v after 1m5s", err, took, io.ErrNoProgress)
			}
		})
	}
}
