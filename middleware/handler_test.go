package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

// What a MessageFunc writes is the reply, whole or not at all.
func TestMessageFunc(t *testing.T) {
	s := serve(t, middleware.Options{
		Handler: middleware.MessageFunc(func(w io.Writer, m *middleware.Message) error {
			switch string(m.Data) {
			case "nothing":
				return nil
			case "empty":
				_, err := w.Write(nil)
				return err
			case "pieces":
				for _, piece := range []string{"a", "", "b", "c"} {
					if _, err := io.WriteString(w, piece); err != nil {
						return err
					}
				}
				return nil
			}
			_, err := fmt.Fprintf(w, "%v of %d bytes", m.Type, len(m.Data))
			return err
		}),
	})
	c := connect(t, s)
	c.send(text("nothing") + text("empty") + text("pieces") + text("other") + frame(0x82, "xyz"))
	c.want(reply(0x81, "") + reply(0x81, "abc") + reply(0x81, "text of 5 bytes") + reply(0x82, "binary of 3 bytes"))
}

// However a handler ends, the client is told, the others are not hurt, and the slot is free again.
func TestHandlerEnds(t *testing.T) {
	half := func(end func() error) middleware.Handler {
		return middleware.MessageFunc(func(w io.Writer, _ *middleware.Message) error {
			_, _ = io.WriteString(w, "half a reply")
			return end()
		})
	}
	whole := func(end func() error) middleware.Handler {
		return middleware.HandlerFunc(func(context.Context, *middleware.Conn) error { return end() })
	}
	for _, test := range []struct {
		name   string
		make   func(func() error) middleware.Handler
		end    func() error
		code   uint16
		reason string
		log    string
	}{
		{"error", half, func() error { return errors.New("broken") }, 1011, "internal server error", "broken"},
		{"panic", half, func() error { panic("broken") }, 1011, "internal server error", "handler_test.go"},
		{"nil panic", half, func() error { panic(nil) }, 1011, "internal server error", "handler_test.go"},
		{"Goexit", half, func() error { runtime.Goexit(); return nil }, 1011, "internal server error", "Goexit"},
		{"code", half, func() error { return &middleware.CloseError{Code: 4000, Reason: "enough"} }, 4000, "enough", ""},
		{"wrapped code", half, func() error { return fmt.Errorf("x: %w", &middleware.CloseError{Code: 1013}) }, 1013, "", ""},
		{"code that must not be sent", half, func() error { return &middleware.CloseError{Code: 1006} }, 1011, "internal server error", "1006"},
		{"reason too long", half, func() error {
			return &middleware.CloseError{Code: 4000, Reason: strings.Repeat("x", 122) + "ü"}
		}, 4000, strings.Repeat("x", 122), ""},
		{"reason not UTF-8", half, func() error { return &middleware.CloseError{Code: 4000, Reason: "a\xff"} }, 4000, "a\ufffd", ""},
		{"HandlerFunc returns", whole, func() error { return nil }, 1000, "", ""},
		{"HandlerFunc fails", whole, func() error { return errors.New("broken") }, 1011, "internal server error", "broken"},
		{"HandlerFunc panics", whole, func() error { panic("broken") }, 1011, "internal server error", "handler_test.go"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log syncBuffer
			m := middleware.New(middleware.Options{
				Handler: test.make(test.end), Logger: textLogger(&log), MaxConns: 1,
			})
			s := serveHandler(t, m)
			for range 2 { // The second needs the slot of the first.
				c := connectWhenFree(t, s)
				c.send(text("message"))
				c.want(closeReply(test.code, test.reason))
				c.send(closing(test.code, ""))
				c.WantEnd()
			}
			line := `level=WARN msg="WebSocket handler failed"`
			if strings.Contains(test.name, "panic") {
				line = `level=ERROR msg="WebSocket handler panicked"`
			}
			logged := strings.Contains(log.String(), line)
			if logged != (test.log != "") || !strings.Contains(log.String(), test.log) {
				t.Errorf("logged %s, want %s with %q", log.String(), line, test.log)
			}
		})
	}
}

// connectWhenFree shakes hands until it is not refused for want of a slot: that of a connection
// is free soon after the client has seen its end.
func connectWhenFree(t *testing.T, s *httptest.Server) *rawClient {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		c := dialRaw(t, s)
		switch resp := c.request("/ws", handshakeLines); resp.StatusCode {
		case 101:
			return c
		case 503:
			_ = c.Close()
		default:
			t.Fatal(resp.Status)
		}
	}
	t.Fatal("no slot has become free")
	return nil
}

// A HandlerFunc can stream in both directions, while others write too.
func TestStreaming(t *testing.T) {
	s := serve(t, middleware.Options{
		Handler: middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
			typ, r, err := c.NextReader()
			if err != nil {
				return err
			}
			w, err := c.NextWriter(typ)
			if err != nil {
				return err
			}
			other := make(chan error, 1)
			go func() { other <- c.WriteMessage(middleware.BinaryMessage, []byte("other")) }()
			if _, err := io.Copy(w, r); err != nil {
				return err
			}
			if err := w.Close(); err != nil {
				return err
			}
			return <-other
		}),
	})
	c := connect(t, s)
	payload := strings.Repeat("stream ", 30000)
	c.send(frame(0x01, payload[:100000]) + frame(0x80, payload[100000:]))
	got := ""
	first, piece := c.frame()
	if first != 0x01 {
		t.Fatalf("first frame %#x", first)
	}
	for got = piece; first&finBit == 0; got += piece {
		if first, piece = c.frame(); first&0x0f != contOp {
			t.Fatalf("frame %#x inside the message", first)
		}
	}
	if got != payload {
		t.Errorf("got %s", shorten([]byte(got)))
	}
	c.want(reply(0x82, "other") + closeReply(1000, ""))
}

// What a handler leaves of a message is discarded, but has to keep the rules.
func TestNextReaderDiscards(t *testing.T) {
	s := serve(t, middleware.Options{
		Handler: middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
			for {
				typ, r, err := c.NextReader()
				if err != nil {
					return err
				}
				b := make([]byte, 1)
				if _, err := io.ReadFull(r, b); err != nil {
					return err
				}
				if err := c.WriteMessage(typ, b); err != nil {
					return err
				}
			}
		}),
	})
	c := connect(t, s)
	c.send(text("abc") + text("def") + text("g\xff"))
	c.want(reply(0x81, "a") + reply(0x81, "d"))
	first, payload := c.frame()
	if first == 0x81 && payload == "g" { // It may be read before the rest is seen.
		first, payload = c.frame()
	}
	if first != 0x88 || payload != "\x03\xeftext is not UTF-8" {
		t.Errorf("got %#x %q", first, payload)
	}
}

// The methods of a Conn say what is wrong with a call, and that a connection is closing.
func TestConnErrors(t *testing.T) {
	errs := make(chan []string, 1)
	s := serve(t, middleware.Options{
		Handler: middleware.HandlerFunc(func(ctx context.Context, c *middleware.Conn) error {
			var got []string
			add := func(err error) { got = append(got, fmt.Sprint(err, " ", errors.Is(err, net.ErrClosed))) }
			add(c.WriteMessage(0, nil))
			_, err := c.NextWriter(8)
			add(err)
			add(c.Close(1005, ""))
			add(c.Close(1006, ""))
			add(c.Close(999, ""))
			w, err := c.NextWriter(middleware.TextMessage)
			add(err)
			add(w.Close())
			add(w.Close())
			add(c.Close(1001, "bye"))
			<-ctx.Done()
			add(c.Close(1001, "bye"))
			add(c.WriteMessage(middleware.TextMessage, nil))
			_, err = c.NextWriter(middleware.TextMessage)
			add(err)
			_, _, err = c.ReadMessage()
			add(err)
			_, _, err = c.NextReader()
			add(err)
			add(c.Discard())
			errs <- got
			return nil
		}),
	})
	c := connect(t, s)
	c.want(reply(0x81, "") + closeReply(1001, "bye"))
	c.send(closing(4321, "me too"))
	want := []string{
		"middleware: MessageType(0): must be TextMessage or BinaryMessage false",
		"middleware: MessageType(8): must be TextMessage or BinaryMessage false",
		"middleware: close code 1005: must not be sent (RFC 6455 §7.4) false",
		"middleware: close code 1006: must not be sent (RFC 6455 §7.4) false",
		"middleware: close code 999: must not be sent (RFC 6455 §7.4) false",
		"<nil> false",
		"<nil> false",
		"middleware: WebSocket: use of closed network connection true",
		"<nil> false",
		"middleware: WebSocket: use of closed network connection true",
		"middleware: WebSocket: use of closed network connection true",
		"middleware: WebSocket: use of closed network connection true",
		`middleware: closed with 4321 "me too" false`,
		`middleware: closed with 4321 "me too" false`,
		`middleware: closed with 4321 "me too" false`,
	}
	got := <-errs
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Errorf("%d: got %q, want %q", i, got[i], want[i])
		}
	}
}

// Writers wait while a message is being written: for their turn, or for the end of the connection
// if whoever writes never comes to an end.
func TestWritersWait(t *testing.T) {
	const writers = 8
	for _, ends := range []bool{true, false} {
		t.Run(fmt.Sprintf("the first ends: %v", ends), func(t *testing.T) {
			errs := make(chan error, writers)
			s := serve(t, middleware.Options{
				Handler: middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
					w, err := c.NextWriter(middleware.TextMessage)
					if err != nil {
						return err
					}
					for range writers {
						go func() { errs <- c.WriteMessage(middleware.TextMessage, []byte("x")) }()
					}
					if _, _, err := c.ReadMessage(); err != nil {
						return err
					}
					_, _ = io.WriteString(w, "first")
					return errors.Join(w.Close(), c.Discard())
				}),
			})
			c := connect(t, s)
			if ends {
				c.send(text("go on"))
				c.want(reply(0x81, "first") + strings.Repeat(reply(0x81, "x"), writers))
			}
			c.send(closing(1000, ""))
			c.want(closeReply(1000, ""))
			c.WantEnd()
			for range writers {
				if err := <-errs; ends && err != nil || !ends && !errors.Is(err, net.ErrClosed) {
					t.Error(err)
				}
			}
		})
	}
}

// A handler may return while another goroutine of it reads: both wait for the client, and time in a
// bubble of testing/synctest goes on.
func TestReturnBesideReader(t *testing.T) {
	inBubble(t, middleware.Options{
		Handler: middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
			go func() { _ = c.Discard() }()
			time.Sleep(time.Second)
			return nil
		}),
	}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		c.wantAfter(time.Second, closeReply(1000, ""))
		began := time.Now()
		c.WantEnd()
		if after := time.Since(began); after != 5*time.Second {
			t.Errorf("ended after %v, want the CloseTimeout of 5s", after)
		}
	})
}

// The context of a connection has the request's values and ends with the connection.
func TestConnContext(t *testing.T) {
	type key struct{}
	ended := make(chan error, 1)
	m := middleware.New(middleware.Options{
		Logger: textLogger(io.Discard),
		Handler: middleware.HandlerFunc(func(ctx context.Context, c *middleware.Conn) error {
			go func() { _ = c.Discard() }()
			greeting := fmt.Sprintf("%v %s %s", ctx.Value(key{}), c.Request().URL.Query()["name"], c.Subprotocol())
			if err := c.WriteMessage(middleware.TextMessage, []byte(greeting)); err != nil {
				return err
			}
			<-ctx.Done()
			ended <- ctx.Err()
			return nil
		}),
	})
	s := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(context.WithValue(r.Context(), key{}, "value"))
		cancel() // as a time limit for requests would
		m.ServeHTTP(w, r.WithContext(ctx))
	}))
	for name, leave := range map[string]func(*rawClient){
		"close":       func(c *rawClient) { c.send(closing(1000, "")) },
		"end of file": func(c *rawClient) { _ = c.Close() },
		"reset":       func(c *rawClient) { _ = c.Conn.(*net.TCPConn).SetLinger(0); _ = c.Close() },
		"violation":   func(c *rawClient) { c.send("\xff\xff") },
	} {
		t.Run(name, func(t *testing.T) {
			c := dialRaw(t, s)
			if resp := c.request("/ws?name=x", handshakeLines, "Sec-WebSocket-Protocol: chat\r\n"); resp.StatusCode != 101 {
				t.Fatal(resp.Status)
			}
			c.want(reply(0x81, "value [x] chat"))
			leave(c)
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("ctx.Err() = %v", err)
			}
		})
	}
}

// The error that ends the reading says how the client went.
func TestReadErrors(t *testing.T) {
	errs := make(chan error, 1)
	s := serve(t, middleware.Options{
		Handler: middleware.HandlerFunc(func(_ context.Context, c *middleware.Conn) error {
			err := c.Discard()
			errs <- err
			return err
		}),
	})
	for _, test := range []struct {
		name, send string
		code       int
		reason     string // empty: any
	}{
		{"close", closing(4000, "reason"), 4000, "reason"},
		{"close without a code", frame(0x88, ""), 1005, ""},
		{"end of stream", "", 1006, ""},
		{"end of stream in a message", "\x81", 1006, ""},
		{"violation", frame(0x83, ""), 1002, "reserved opcode 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := connect(t, s)
			c.send(test.send)
			_ = c.Conn.(*net.TCPConn).CloseWrite()
			var closed *middleware.CloseError
			err := <-errs
			if !errors.As(err, &closed) || closed.Code != test.code {
				t.Fatalf("got %v, want code %d", err, test.code)
			}
			if test.reason != "" && closed.Reason != test.reason {
				t.Errorf("reason %q, want %q", closed.Reason, test.reason)
			}
		})
	}
}

// A reply is on its way before the next message is answered.
func TestReplyDoesNotWait(t *testing.T) {
	proceed := make(chan struct{})
	s := serve(t, middleware.Options{
		Handler: middleware.MessageFunc(func(w io.Writer, m *middleware.Message) error {
			if string(m.Data) == "slow" {
				<-proceed
			}
			return middleware.Echo("")(w, m)
		}),
	})
	c := connect(t, s)
	c.send(text("quick") + text("slow"))
	c.want(reply(0x81, "quick"))
	close(proceed)
	c.want(reply(0x81, "slow"))
}

// Batched replies leave when there is nothing more to answer, be it that a message has begun.
func TestBatched(t *testing.T) {
	s := serve(t, middleware.Options{Handler: middleware.Batched(plainEcho())})
	c := connect(t, s)
	c.send(text("one") + text("two") + text("three")[:5])
	c.want(reply(0x81, "one") + reply(0x81, "two"))
	c.send(text("three")[5:])
	c.want(reply(0x81, "three"))
	// More than any buffer holds, in both directions at once.
	payload := strings.Repeat("x", 1000)
	const n = 1000
	go func() {
		_, _ = io.WriteString(c.Conn, strings.Repeat(text(payload), n)+closing(1000, ""))
	}()
	c.want(strings.Repeat(reply(0x81, payload), n) + closeReply(1000, ""))
	c.WantEnd()
}

// Pings and what other goroutines send get through while replies are batched.
func TestBatchedBesideOthers(t *testing.T) {
	inBubble(t, middleware.Options{
		Handler: middleware.HandlerFunc(func(ctx context.Context, c *middleware.Conn) error {
			if err := c.WriteMessage(middleware.TextMessage, []byte("first")); err != nil {
				return err
			}
			go func() { _ = c.WriteMessage(middleware.TextMessage, []byte("second")) }()
			return middleware.Batched(plainEcho()).ServeConn(ctx, c)
		}),
	}, func(_ *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		c.want(reply(0x81, "first") + reply(0x81, "second"))
		c.wantAfter(30*time.Second, reply(0x89, ""))
	})
}

// What another goroutine streams is sent as it is written, and pings between its frames, while a
// batched reply waits for the end of the stream.
func TestBatchedBehindStream(t *testing.T) {
	piece := strings.Repeat("x", 1<<10)
	inBubble(t, middleware.Options{
		Handler: middleware.HandlerFunc(func(ctx context.Context, c *middleware.Conn) error {
			w, err := c.NextWriter(middleware.TextMessage)
			if err != nil {
				return err
			}
			time.AfterFunc(time.Second, func() {
				_, _ = io.WriteString(w, piece)
				time.AfterFunc(time.Minute, func() { _ = w.Close() })
			})
			return middleware.Batched(plainEcho()).ServeConn(ctx, c)
		}),
	}, func(t *testing.T, dial func() *rawClient) {
		c := dial().shakeHands()
		c.send(text("message"))
		began := time.Now()
		var got string
		for len(got) < len(piece)/2 {
			_, payload := c.frame()
			got += payload
		}
		if after := time.Since(began); after != time.Second {
			t.Errorf("the stream began after %v, want 1s", after)
		}
		for first := byte(0); first != 0x89; {
			first, _ = c.frame()
		}
		if after := time.Since(began); after != 30*time.Second {
			t.Errorf("a ping after %v, want 30s", after)
		}
		for first := byte(0); first != 0x80; {
			first, _ = c.frame()
		}
		if after := time.Since(began); after != 61*time.Second {
			t.Errorf("the stream ended after %v, want 61s", after)
		}
		c.want(reply(0x81, "message"))
		c.send(closing(1000, ""))
		c.want(closeReply(1000, ""))
	})
}

// Echo answers with the message as it is when it is called, whoever calls it.
func TestEchoInside(t *testing.T) {
	long := strings.Repeat("long prefix ", 10)
	for _, test := range []struct {
		name string
		f    middleware.MessageFunc
		want string
	}{
		{"alone", middleware.Echo("> "), "> abc"},
		{"long prefix", middleware.Echo(long), long + "abc"},
		{"other data", func(w io.Writer, m *middleware.Message) error {
			m.Data = []byte("other")
			return middleware.Echo("> ")(w, m)
		}, "> other"},
		{"data changed in place", func(w io.Writer, m *middleware.Message) error {
			m.Data[0] = 'A'
			return middleware.Echo("> ")(w, m)
		}, "> Abc"},
		{"part of the data", func(w io.Writer, m *middleware.Message) error {
			m.Data = m.Data[1:]
			return middleware.Echo("> ")(w, m)
		}, "> bc"},
		{"other message", func(w io.Writer, _ *middleware.Message) error {
			return middleware.Echo("> ")(w, &middleware.Message{Data: []byte("other")})
		}, "> other"},
		{"behind something", func(w io.Writer, m *middleware.Message) error {
			_, _ = io.WriteString(w, "something ")
			return middleware.Echo("> ")(w, m)
		}, "something > abc"},
		{"before something", func(w io.Writer, m *middleware.Message) error {
			_ = middleware.Echo("> ")(w, m)
			_, err := w.Write([]byte(" something"))
			return err
		}, "> abc something"},
		{"twice", func(w io.Writer, m *middleware.Message) error {
			_ = middleware.Echo("> ")(w, m)
			return middleware.Echo("< ")(w, m)
		}, "> abc< abc"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := connect(t, serve(t, middleware.Options{Handler: test.f}))
			c.send(text("abc"))
			c.want(reply(0x81, test.want))
		})
	}
}

// A client that ends its stream without a close frame still gets its answers, also when what it
// sent fills the read buffer to the last byte.
func TestBatchedEndOfStream(t *testing.T) {
	s := serve(t, middleware.Options{Handler: middleware.Batched(plainEcho())})
	message := text(strings.Repeat("x", 1024-8)) // 1024 bytes with its header
	for _, n := range []int{1, 63, 64, 65, 128} {
		c := connect(t, s)
		c.send(strings.Repeat(message, n))
		_ = c.Conn.(*net.TCPConn).CloseWrite()
		c.want(strings.Repeat(reply(0x81, strings.Repeat("x", 1024-8)), n))
		c.WantEnd()
	}
}

// A function that calls Echo's may change the message before, and does not change the reply after.
func TestEchoWithin(t *testing.T) {
	echo := middleware.Echo("> ")
	for _, test := range []struct {
		name   string
		answer middleware.MessageFunc
		want   string
	}{
		{"unchanged", func(w io.Writer, m *middleware.Message) error { return echo(w, m) }, reply(0x81, "> abc")},
		{"changed before", func(w io.Writer, m *middleware.Message) error {
			copy(m.Data, "A")
			return echo(w, m)
		}, reply(0x81, "> Abc")},
		{"changed after", func(w io.Writer, m *middleware.Message) error {
			defer clear(m.Data)
			return echo(w, m)
		}, reply(0x81, "> abc")},
		{"no longer UTF-8", func(w io.Writer, m *middleware.Message) error {
			m.Data[0] = 0xff
			return echo(w, m)
		}, closeReply(1011, "internal server error")},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, middleware.Options{Handler: test.answer}, func(t *testing.T, dial func() *rawClient) {
				c := dial().shakeHands()
				c.send(text("abc"))
				c.want(test.want)
			})
		})
	}
}
