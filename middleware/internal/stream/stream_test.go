package stream_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestReadWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c := s.open()
		large := strings.Repeat("x", 100<<10)
		go func() {
			_, _ = io.WriteString(s.client, "hello")
			_, _ = io.WriteString(s.client, large)
			_ = s.client.Close()
		}()
		read(t, c, 2, "he")
		read(t, c, 10, "llo")
		if n, err := c.Read(nil); n != 0 || err != nil {
			t.Errorf("read nothing: %d, %v", n, err)
		}
		if got, err := io.ReadAll(c); string(got) != large || err != nil {
			t.Errorf("read %d bytes, %v", len(got), err)
		}
		readError(t, c, io.EOF)
		go func() {
			if n, err := io.WriteString(c, large); n != len(large) || err != nil {
				t.Errorf("wrote %d bytes, %v", n, err)
			}
		}()
		if got := <-s.writes + <-s.writes; got != large {
			t.Errorf("got %d bytes", len(got))
		}
		synctest.Wait()
		s.finish(c)
		s.wantDeadlines("no read deadline", "no write deadline")
	})
}

// A read from the body goes on after a deadline, and what it returns is not lost.
func TestReadDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c := s.open()
		began := time.Now()
		_ = c.SetReadDeadline(began.Add(time.Second))
		readError(t, c, os.ErrDeadlineExceeded)
		if took := time.Since(began); took != time.Second {
			t.Errorf("waited for %v", took)
		}
		readError(t, c, os.ErrDeadlineExceeded)
		_, _ = io.WriteString(s.client, "hello")
		readError(t, c, os.ErrDeadlineExceeded) // also if there is something to read
		_ = c.SetReadDeadline(time.Time{})
		read(t, c, 10, "hello")
		s.finish(c)
		s.wantDeadlines("no read deadline", "no write deadline")
	})
}

// Deadlines change for a read in progress.
func TestReadDeadlineChanges(t *testing.T) {
	for _, test := range []struct {
		name    string
		changes []time.Duration // of the deadline, one a second; 0 for none
		want    time.Duration   // when the read ends
	}{
		{"from none", []time.Duration{0, 500 * time.Millisecond}, 1500 * time.Millisecond},
		{"to the past", []time.Duration{time.Hour, -1}, time.Second},
		{"to the past, from none", []time.Duration{0, -1}, time.Second},
		{"later", []time.Duration{1500 * time.Millisecond, 2 * time.Second}, 3 * time.Second},
		{"sooner", []time.Duration{time.Hour, time.Second / 2}, 1500 * time.Millisecond},
		{"removed and set", []time.Duration{1500 * time.Millisecond, 0, time.Second}, 3 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				c := s.open()
				began := time.Now()
				var changes sync.WaitGroup
				changes.Go(func() {
					for _, d := range test.changes {
						if d == 0 {
							_ = c.SetDeadline(time.Time{})
						} else {
							_ = c.SetReadDeadline(time.Now().Add(d))
						}
						time.Sleep(time.Second)
					}
				})
				readError(t, c, os.ErrDeadlineExceeded)
				if got := time.Since(began); got != test.want {
					t.Errorf("ended after %v, want %v", got, test.want)
				}
				changes.Wait()
				s.finish(c)
				s.wantDeadlines("no read deadline", "no write deadline", "read deadline")
			})
		})
	}
}

// A deadline releases a write that the server does not finish; the bytes may be reused at once. The
// stream is reset at the end.
func TestWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c := s.open()
		began := time.Now()
		_ = c.SetWriteDeadline(began.Add(time.Second))
		p := []byte("hello")
		if n, err := c.Write(p); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d bytes, %v", n, err)
		}
		copy(p, "XXXXX")
		if took := time.Since(began); took != time.Second {
			t.Errorf("waited for %v", took)
		}
		_ = c.SetWriteDeadline(time.Time{})
		writeError(t, c, os.ErrDeadlineExceeded)
		if got := <-s.writes; got != "hello" {
			t.Errorf("written: %q", got)
		}
		synctest.Wait()
		writeError(t, c, os.ErrDeadlineExceeded)
		s.finish(c)
		s.wantDeadlines("no read deadline", "no write deadline")
	})
}

// Close releases a read and a write in progress, and Wait ends their use of body and writer.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c := s.open()
		go readError(t, c, net.ErrClosed)
		go writeError(t, c, net.ErrClosed)
		synctest.Wait()
		_ = c.Close()
		synctest.Wait()
		s.wantDeadlines("no read deadline", "no write deadline")
		s.finish(c)
		s.wantDeadlines("write deadline", "read deadline")
		_ = c.Close()
		c.Wait()
		time.Sleep(time.Hour)
		readError(t, c, net.ErrClosed)
		writeError(t, c, net.ErrClosed)
		if err := c.Flush(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Flush: %v", err)
		}
		s.wantDeadlines()
	})
}

// If the handler does not return, the stream is reset.
func TestLateHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c := s.open()
		_ = c.Close()
		time.Sleep(999 * time.Millisecond)
		synctest.Wait()
		s.wantDeadlines("no read deadline", "no write deadline")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		s.wantDeadlines("write deadline")
		s.finish(c)
		time.Sleep(time.Hour)
		s.wantDeadlines()
	})
}

func TestEndWithReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c := s.open()
		c.EndWithReset()
		s.wantDeadlines("no read deadline", "no write deadline")
		s.finish(c)
		s.wantDeadlines("write deadline")
	})
}

// Reads and writes that race with the end do not use body or writer after it.
func TestCloseRace(t *testing.T) {
	for range 100 {
		s := newServer(t)
		c := s.open()
		var ended sync.WaitGroup
		ended.Go(func() {
			for {
				if _, err := io.WriteString(c, "x"); err != nil {
					return
				}
			}
		})
		ended.Go(func() {
			if n, err := io.Copy(io.Discard, c); n > 0 || err == nil {
				t.Errorf("read %d bytes, %v", n, err)
			}
		})
		<-s.writes
		s.finish(c)
		ended.Wait()
	}
}

// A timeout of the server is not one of ours: the reader would try again for ever.
func TestTimeoutOfServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c := s.open()
		_ = s.client.CloseWithError(os.ErrDeadlineExceeded)
		_, err := c.Read(make([]byte, 1))
		if err == nil || errors.Is(err, os.ErrDeadlineExceeded) ||
			err.Error() != "stream: timeout of the server: i/o timeout" {
			t.Errorf("got %v", err)
		}
		s.finish(c)
	})
}

// An error of the body comes after what was read with it, and stays.
func TestReadError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c := s.open()
		go func() {
			_, _ = io.WriteString(s.client, "hello")
			_ = s.client.CloseWithError(errReset)
		}()
		read(t, c, 10, "hello")
		readError(t, c, errReset)
		readError(t, c, errReset)
		s.finish(c)
	})
}

type panics struct{ *server }

func (panics) FlushError() error { panic("flush") }

// A panic is an error: nobody would recover it on the goroutine of a write.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c := s.openWith(panics{s})
		if _, err := io.WriteString(c, "x"); err == nil || err.Error() != "stream: panic: flush" {
			t.Errorf("got %v", err)
		}
		s.finish(c)
	})
}

func TestAddr(t *testing.T) {
	s := newServer(t)
	c := s.open()
	for _, test := range []struct {
		addr net.Addr
		want string
	}{
		{c.LocalAddr(), "tcp 127.0.0.1:80"},
		{c.RemoteAddr(), "tcp 127.0.0.1:2000"},
	} {
		if got := test.addr.Network() + " " + test.addr.String(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	s.finish(c)
}
