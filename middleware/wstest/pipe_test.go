package wstest_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware/wstest"
)

// The connection in memory keeps the rules of net.Conn.
func TestPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.Pipe()
		if _, err := a.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		p := make([]byte, 3)
		n, err := b.Read(p)
		if n != 3 || err != nil || string(p) != "hel" {
			t.Errorf("read %q, %v", p[:n], err)
		}
		_ = a.(interface{ CloseWrite() error }).CloseWrite()
		if rest, err := io.ReadAll(b); string(rest) != "lo" || err != nil {
			t.Errorf("read %q, %v", rest, err)
		}
		if _, err := a.Write(nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after CloseWrite: %v", err)
		}
		began := time.Now()
		_ = a.SetReadDeadline(began.Add(time.Hour))
		_ = a.SetReadDeadline(began.Add(time.Second))
		if _, err := a.Read(p); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		_ = a.SetDeadline(time.Time{})
		go func() {
			time.Sleep(time.Minute)
			_, _ = b.Write([]byte("x"))
			_ = b.Close()
		}()
		if rest, err := io.ReadAll(a); string(rest) != "x" || err != nil {
			t.Errorf("read %q, %v", rest, err)
		}
		if _, err := b.Read(p); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after Close: %v", err)
		}
		_ = a.Close()
	})
}

// Writes do not come between the parts of another one, which waits for the reader.
func TestPipeConcurrentWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.Pipe()
		const size = 1 << 20
		for _, s := range []string{"a", "b", "c"} {
			go write(strings.Repeat(s, size))(a)
		}
		synctest.Wait()
		got := make([]byte, 3*size)
		if _, err := io.ReadFull(b, got); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if part := string(got[i*size:][:size]); part != strings.Repeat(part[:1], size) {
				t.Errorf("write %d is mixed with another", i)
			}
		}
	})
}

// A deadline ends a write that waits for another one too, and Close all of them.
func TestPipeWaitingWrites(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(a, b net.Conn)
		want error
	}{
		{"deadline", func(a, _ net.Conn) { _ = a.SetWriteDeadline(time.Now()) }, os.ErrDeadlineExceeded},
		{"close", func(a, _ net.Conn) { _ = a.Close() }, net.ErrClosed},
		{"close at the other end", func(_, b net.Conn) { _ = b.Close() }, syscall.EPIPE},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := wstest.Pipe()
				failed := make(chan error, 2)
				for range cap(failed) {
					go func() {
						_, err := a.Write(make([]byte, 1<<20))
						failed <- err
					}()
				}
				synctest.Wait()
				test.end(a, b)
				for range cap(failed) {
					if err := <-failed; !errors.Is(err, test.want) {
						t.Errorf("got %v, want %v", err, test.want)
					}
				}
			})
		})
	}
}

// After Close, deadlines cannot be set, and those that were do not change the error.
func TestPipeClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := wstest.Pipe()
		_ = a.SetDeadline(time.Now().Add(time.Second))
		_ = a.Close()
		time.Sleep(time.Minute)
		if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write: %v", err)
		}
		if err := a.SetReadDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("SetReadDeadline: %v", err)
		}
	})
}
