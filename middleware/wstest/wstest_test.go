package wstest_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
)

func TestMain(m *testing.M) { wstest.Main(m) }

func newHandler(opts middleware.Options) http.Handler {
	opts.Logger = slog.New(slog.DiscardHandler)
	return middleware.New(opts).Handler(http.NotFoundHandler())
}

// Messages of all sizes come back, in a bubble and outside.
func TestEcho(t *testing.T) {
	test := func(t *testing.T) {
		c := wstest.NewServer(t, newHandler(middleware.Options{Handler: middleware.Echo("")})).Dial("/ws")
		for _, size := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
			f := wstest.Frame{First: 0x82, Payload: strings.Repeat("x", size)}
			c.Send(f)
			c.Want(f)
		}
		c.Send(wstest.Text("a"), wstest.Frame{First: 0x89, Payload: "b"}, wstest.Close(1000, "bye"))
		c.Want(wstest.Text("a"), wstest.Frame{First: 0x8a, Payload: "b"}, wstest.Close(1000, "bye"))
		c.WantEnd()
	}
	t.Run("outside", test)
	t.Run("in a bubble", func(t *testing.T) { synctest.Test(t, test) })
}

// The example, run.
func TestTimeInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c := wstest.NewServer(t, newHandler(middleware.Options{})).Dial("/ws")
		c.Want(wstest.Frame{First: 0x89}, wstest.Close(1008, "no answer to a ping within 10s"))
		c.WantEnd()
		if got := time.Since(began); got != 40*time.Second {
			t.Errorf("took %v", got)
		}
	})
}

func TestFrame(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, test := range []struct {
		frame                    wstest.Frame
		masked, unmasked, string string
	}{
		{wstest.Text("ab`"), "\x81\x83\x01\x02\x03\x04``c", "\x81\x03ab`", "text \"ab`\""},
		{wstest.Close(1000, "x"), "\x88\x83\x01\x02\x03\x04\x02\xea{", "\x88\x03\x03\xe8x", `close 1000 "x"`},
		{wstest.Frame{First: 0x89}, "\x89\x80\x01\x02\x03\x04", "\x89\x00", `ping ""`},
		{
			wstest.Frame{First: 0x02, Payload: strings.Repeat("\x01", 126)},
			"\x02\xfe\x00\x7e\x01\x02\x03\x04" + strings.Repeat("\x00\x03\x02\x05", 31) + "\x00\x03",
			"\x02\x7e\x00\x7e" + strings.Repeat("\x01", 126), `frame 0x02 "` + strings.Repeat(`\x01`, 126) + `"`,
		},
		{wstest.Text(long), "", "\x81\x7e\x01\x2c" + long, `text "` + long[:200] + `"... (300 bytes)`},
	} {
		if got := test.frame.Masked(); test.masked != "" && got != test.masked {
			t.Errorf("masked %q, want %q", got, test.masked)
		}
		if got := test.frame.Unmasked(); got != test.unmasked {
			t.Errorf("unmasked %q, want %q", got, test.unmasked)
		}
		if got := test.frame.String(); got != test.string {
			t.Errorf("String %s, want %s", got, test.string)
		}
	}
}

// recorder is a test that records how it fails.
type recorder struct {
	testing.TB
	failed string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Fatalf(s string, a ...any) { r.failed = fmt.Sprintf(s, a...); panic(r) }
func (r *recorder) Errorf(s string, a ...any) { r.failed = fmt.Sprintf(s, a...) }

// What a server does wrong fails the test, with what was wanted.
func TestFailures(t *testing.T) {
	end := func(conn net.Conn) { _ = conn.Close() }
	for _, test := range []struct {
		name  string
		serve func(net.Conn)
		want  func(*wstest.Client)
		fails string
	}{
		{"another frame", write("\x81\x01a"), func(c *wstest.Client) { c.Want(wstest.Text("b")) }, `wstest: got text "a", want text "b"`},
		{"another frame, far behind", write("\x82\x7e\x00\xfe" + strings.Repeat("x", 254)), func(c *wstest.Client) {
			c.Want(wstest.Frame{First: 0x82, Payload: strings.Repeat("x", 253) + "y"})
		}, fmt.Sprintf("wstest: got binary %[1]q... (254 bytes), want binary %[1]q... (254 bytes); they differ from byte 253 on", strings.Repeat("x", 200))},
		{"no frame", end, func(c *wstest.Client) { c.Want(wstest.Text("b")) }, `wstest: the stream has ended; want text "b"`},
		{"half a frame", func(conn net.Conn) { write("\x81\x02a")(conn); end(conn) }, func(c *wstest.Client) { c.Next() }, "wstest: unexpected EOF; want a frame"},
		{"masked", write("\x81\x81\x01\x02\x03\x04`"), func(c *wstest.Client) { c.Next() }, "wstest: frame with the header 81 81: masked or too long; want a frame"},
		{"too long", write("\x81\x7f\x00\x00\x00\x00\x40\x00\x00\x00"), func(c *wstest.Client) { c.Next() }, "wstest: frame with the header 81 7f 00 00 00 00 40 00 00 00: masked or too long; want a frame"},
		{"not the shortest form", write("\x81\x7e\x00\x01a"), func(c *wstest.Client) { c.Next() }, "wstest: frame with the header 81 7e 00 01: length not in the shortest form; want a frame"},
		{"a frame at the end", write("\x81\x01a"), func(c *wstest.Client) { c.WantEnd() }, `wstest: got text "a", want the end of the stream`},
		{"nothing", write(""), func(c *wstest.Client) { c.WantEnd() }, "wstest: i/o timeout after 1m0s; want the end of the stream"},
		{"no response", func(conn net.Conn) { _ = conn.(interface{ CloseWrite() error }).CloseWrite() }, func(c *wstest.Client) { c.Handshake("/ws") }, "wstest: handshake at /ws: unexpected EOF"},
		{"nobody reads", write(""), func(c *wstest.Client) { c.Send(wstest.Text(strings.Repeat("x", 1<<20))) }, "wstest: send: i/o timeout after 1m0s"},
		{"gone", end, func(c *wstest.Client) { c.Send(wstest.Text("x")) }, "wstest: send: broken pipe"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := wstest.Pipe()
				t.Cleanup(func() { _ = server.Close() })
				test.serve(server)
				r := &recorder{TB: t}
				func() {
					defer func() {
						if v := recover(); v != r {
							t.Errorf("panic(%v)", v)
						}
					}()
					test.want(wstest.NewClient(r, client))
				}()
				if r.failed != test.fails {
					t.Errorf("failed with %q, want %q", r.failed, test.fails)
				}
			})
		})
	}
}

func write(s string) func(net.Conn) {
	return func(conn net.Conn) { _, _ = io.WriteString(conn, s) }
}

func TestDialRefused(t *testing.T) {
	r := &recorder{TB: t}
	s := wstest.NewServer(r, newHandler(middleware.Options{}))
	func() {
		defer func() { _ = recover() }()
		s.Dial("/ws", "Origin: https://evil.example")
	}()
	want := `wstest: handshake at /ws: 403 Forbidden, want 101: ` +
		`"origin \"https://evil.example\" is not allowed to connect to host \"example.com\"\n"`
	if r.failed != want {
		t.Errorf("failed with %q, want %q", r.failed, want)
	}
	if resp := s.Connect().Handshake("/other"); resp.StatusCode != 404 {
		t.Error(resp.Status)
	}
}

// A handler that stays when its client has gone is found out.
func TestHandlerStays(t *testing.T) {
	release := make(chan struct{})
	failed := make(chan string, 1)
	t.Run("", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release = make(chan struct{})
			r := &recorder{TB: t}
			t.Cleanup(func() { // after those of the server
				failed <- r.failed
				close(release)
			})
			s := wstest.NewServer(r, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
			_, _ = io.WriteString(s.Connect().Conn(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			synctest.Wait()
		})
	})
	if got, want := <-failed, "wstest: a handler has not returned within 10s of the end of its client"; got != want {
		t.Errorf("failed with %q, want %q", got, want)
	}
}
