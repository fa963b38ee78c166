package output

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A deadline is set for each 64 KiB, unless the one before has three quarters of its time left.
func TestWriteDeadlines(t *testing.T) {
	const ms, a = time.Millisecond, "\x81\x01a"
	kib192 := "\x82\x7f\x00\x00\x00\x00\x00\x02\xff\xf6" + strings.Repeat("a", 192<<10-10)
	for _, test := range []struct {
		name   string
		pieces []string      // each one flushed
		delay  time.Duration // of each write
		want   []time.Duration
	}{
		{"small writes", []string{a, a, a, a, a}, 100 * ms, []time.Duration{1000 * ms, 1300 * ms}},
		{"slow writes", []string{a, a, a}, 900 * ms, []time.Duration{1000 * ms, 1900 * ms, 2800 * ms}},
		{"a large piece", []string{kib192}, 300 * ms, []time.Duration{1000 * ms, 1300 * ms, 1600 * ms}},
		{"a large piece taken at once", []string{kib192}, 0, []time.Duration{1000 * ms}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				tr, out := newOutput(time.Second)
				out.delay = test.delay
				for _, piece := range test.pieces {
					writeFlush(t, tr, piece)
				}
				var got []time.Duration
				for _, deadline := range out.deadlines {
					got = append(got, deadline.Sub(began))
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("deadlines %v, want %v", got, test.want)
				}
			})
		})
	}
}

// A client that does not read is given up after the timeout. One that reads slowly is not.
func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		defer server.Close()
		config := struct{ WriteTimeout time.Duration }{-1}
		config.WriteTimeout = time.Second
		tr, began := newOn(server, config.WriteTimeout), time.Now()
		read := make(chan int)
		go func() {
			p, total := make([]byte, 64<<10), 0
			for total < 256<<10 {
				n, err := client.Read(p)
				if total += n; err != nil {
					break
				}
				if n > 0 {
					time.Sleep(900 * time.Millisecond)
				}
			}
			read <- total
		}()
		writeFlush(t, tr, "\x82\x7f\x00\x00\x00\x00\x00\x03\xff\xf6"+strings.Repeat("a", 256<<10-10))
		took := time.Since(began)
		if n := <-read; n != 256<<10 || took != 3*900*time.Millisecond {
			t.Errorf("%d bytes read, written within %v, want 2.7s", n, took)
		}
		time.Sleep(time.Minute)
		began = time.Now()
		_, _ = tr.Write([]byte("\x81\x00"))
		err := tr.Flush()
		if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took != time.Second {
			t.Errorf("Flush: %v after %v, want %v after 1s", err, took, os.ErrDeadlineExceeded)
		}
	})
}

// A client that takes 64 KiB within the timeout is never cut. One that takes nothing is.
func TestSlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		config := struct{ WriteTimeout time.Duration }{-1}
		config.WriteTimeout = 10 * time.Second
		tr := newOn(server, config.WriteTimeout)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 100 {
				time.Sleep(6 * time.Second)
				if _, err := io.ReadFull(client, make([]byte, 64<<10)); err != nil {
					t.Error(err)
					return
				}
			}
		}()
		began := time.Now()
		for range 10 {
			writeFlush(t, tr, "\x82\x7f\x00\x00\x00\x00\x00\x09\xff\xf6", strings.Repeat("a", 640<<10-10))
		}
		<-done
		if took := time.Since(began); took != 600*time.Second {
			t.Errorf("took %v, want 10m0s", took)
		}
		if got := tr.Sent(); got != 6400<<10 {
			t.Errorf("Sent is %d, want %d", got, 6400<<10)
		}
		time.Sleep(10 * time.Second)
		began = time.Now()
		_, err := tr.Write([]byte(kib100))
		if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took != 10*time.Second {
			t.Errorf("Write: %v after %v, want %v after 10s", err, took, os.ErrDeadlineExceeded)
		}
		if got := tr.Sent(); got != 6400<<10 || tr.IsSending() {
			t.Errorf("Sent is %d, IsSending is %v", got, tr.IsSending())
		}
	})
}

// bufferConn notes the sizes of the send buffer.
type bufferConn struct {
	sink
	sizes []int
}

func (c *bufferConn) SetWriteBuffer(bytes int) error {
	c.sizes = append(c.sizes, bytes)
	return errors.New("cannot be set")
}

// overConn is a connection over another one, as that of TLS.
type overConn struct {
	net.Conn
	under net.Conn
}

func (c overConn) NetConn() net.Conn { return c.under }

// The send buffer is limited once, if there is one and a timeout.
func TestSendBuffer(t *testing.T) {
	for _, test := range []struct {
		name    string
		over    bool
		timeout time.Duration
		want    []int
	}{
		{"a connection", false, time.Hour, []int{256 << 10}},
		{"one over another", true, time.Hour, []int{256 << 10}},
		{"without a timeout", false, -1, nil},
		{"with a deadline for each", false, 1, []int{256 << 10}},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn, config := new(bufferConn), struct{ WriteTimeout time.Duration }{-1}
			config.WriteTimeout = test.timeout
			tr := newOn(conn, config.WriteTimeout)
			if test.over {
				tr = newOn(overConn{&conn.sink, conn}, config.WriteTimeout)
			}
			if conn.sizes != nil {
				t.Errorf("sizes %v before the first write", conn.sizes)
			}
			for range 3 {
				writeFlush(t, tr, "\x81\x00")
			}
			wantWrites(t, &conn.sink, "\x81\x00", "\x81\x00", "\x81\x00")
			if !slices.Equal(conn.sizes, test.want) {
				t.Errorf("sizes %v, want %v", conn.sizes, test.want)
			}
		})
	}
}

// Nothing empty is written to the network: each write is an end of a TLS record.
func TestEmptyWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		tr := newOn(server, -1)
		go func() {
			_, _ = tr.Write([]byte(kib100 + "\x81\x00"))
			_ = tr.Flush()
		}()
		for i, want := range []int{64 << 10, 36<<10 + 2} {
			if n, err := client.Read(make([]byte, 80<<10)); n != want || err != nil {
				t.Errorf("Read %d: %d, %v, want %d", i, n, err, want)
			}
		}
	})
}

// panickingConn panics in the nth write.
type panickingConn struct {
	sink
	nth int
}

func (c *panickingConn) Write(p []byte) (int, error) {
	if c.nth--; c.nth == 0 {
		panic("broken")
	}
	return c.sink.Write(p)
}

// A connection that panics leaves nobody waiting.
func TestWritePanics(t *testing.T) {
	for _, test := range []struct {
		name  string
		write func(tr *Output)
	}{
		{"Flush", func(tr *Output) { _, _ = tr.Write([]byte("\x81\x00")); _ = tr.Flush() }},
		{"a large frame", func(tr *Output) { _, _ = tr.Write([]byte(kib100)) }},
		{"a large piece", func(tr *Output) { _, _ = tr.Write([]byte(kib100[:90<<10])) }},
		{"WriteControl", func(tr *Output) { _ = tr.Control(0x9, nil) }},
		{"WriteClose", func(tr *Output) { _ = tr.Close(nil) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newOn(&panickingConn{nth: 1}, -1)
				func() {
					defer func() {
						if v := recover(); v != "broken" {
							t.Errorf("recovered %v", v)
						}
					}()
					test.write(tr)
				}()
				if tr.IsSending() {
					t.Error("still IsSending")
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					_ = tr.Control(0xa, nil)
					_ = tr.Close(nil)
					_ = tr.Flush()
				}()
				select {
				case <-done:
				case <-time.After(time.Hour):
					t.Error("a write waits for ever")
					tr.mu.Lock() // so that the goroutine ends
					tr.frameLeft = 0
					tr.notify()
					tr.mu.Unlock()
					<-done
				}
			})
		})
	}
}
