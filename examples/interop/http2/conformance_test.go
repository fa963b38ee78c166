package http2_test

import (
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

// conformanceCase sends bytes and expects bytes, then the end of the stream.
type conformanceCase struct{ name, send, want string }

// conformanceCases have a case for each kind of those of middleware/conformance_test.go: what is
// sent in answer to what does not depend on the version of HTTP, but arrives in other pieces.
func conformanceCases() []conformanceCase {
	large, mega := strings.Repeat("x", 65536), strings.Repeat("x", 1<<20)
	violation := func(name, bytes string, code uint16, reason string) conformanceCase {
		return conformanceCase{
			name, text("before") + bytes + text("after"),
			reply(0x81, "before") + closeReply(code, reason),
		}
	}
	return []conformanceCase{
		{"5.1 text", text("abc") + bye, reply(0x81, "abc") + byeBack},
		{"5.1 binary", frame(0x82, "\x00\xff") + bye, reply(0x82, "\x00\xff") + byeBack},
		{"5.1 empty", text("") + frame(0x82, "") + bye, reply(0x81, "") + reply(0x82, "") + byeBack},
		{"5.2 length 126", text(large[:126]) + bye, reply(0x81, large[:126]) + byeBack},
		{"5.2 length 65536", text(large) + bye, reply(0x81, large) + byeBack},
		{"7.1.7 message at the limit", frame(0x82, mega) + bye, reply(0x82, mega) + byeBack},
		{"5.4 fragments", frame(0x01, "a") + frame(0x00, "") + frame(0x80, "c") + bye, reply(0x81, "ac") + byeBack},
		{"5.4 ping between fragments", frame(0x01, "a") + frame(0x89, "p") + frame(0x80, "b") + bye, reply(0x8a, "p") + reply(0x81, "ab") + byeBack},
		{"5.5.2 ping", frame(0x89, "") + frame(0x89, large[:125]) + bye, reply(0x8a, "") + reply(0x8a, large[:125]) + byeBack},
		{"5.5.3 pong unasked for", frame(0x8a, "x") + bye, byeBack},
		{"5.6 UTF-8 split", frame(0x01, "\xf0\x9f") + frame(0x80, "\x8c\x8d") + bye, reply(0x81, "🌍") + byeBack},
		{"100 messages", strings.Repeat(text("abc"), 100) + bye, strings.Repeat(reply(0x81, "abc"), 100) + byeBack},

		violation("5.1 unmasked", "\x81\x01a", 1002, "unmasked frame"),
		violation("5.2 RSV1", frame(0xc1, "x"), 1002, "reserved bit RSV1 set"),
		violation("5.2 opcode 3", frame(0x83, ""), 1002, "reserved opcode 3"),
		violation("5.2 top bit of length", "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x01", 1002, "payload length with its top bit set"),
		violation("5.4 continuation first", frame(0x80, "x"), 1002, "continuation of no message"),
		violation("5.4 text inside text", frame(0x01, "a")+text("b"), 1002, "new message before the end of a fragmented one"),
		violation("5.5 ping fragmented", frame(0x09, "p"), 1002, "fragmented control frame"),
		violation("5.5.1 close of one byte", frame(0x88, "\x03"), 1002, "close frame with half a code"),
		violation("7.4 close code 1005", closing(1005, ""), 1002, "close code 1005"),
		violation("8.1 text", text("a\xff"), 1007, "text is not UTF-8"),
		violation("8.1 before the end of the message", frame(0x01, "\xf4\x90"), 1007, "text is not UTF-8"),
		violation("8.1 close reason", closing(1000, "\xff"), 1007, "close reason is not UTF-8"),
		violation("7.1.7 message of 2^62 bytes", "\x82\xff\x40\x00\x00\x00\x00\x00\x00\x00", 1009, "message larger than 1048576 bytes"),

		{"5.5.1 close without a code", frame(0x88, ""), reply(0x88, "")},
		{"5.5.1 close with a reason", closing(4999, large[:123]), closeReply(4999, large[:123])},
		{"5.5.1 data after close", bye + text("late") + closing(1001, ""), byeBack},
		{"5.5.1 close within a message", frame(0x01, "a") + bye, byeBack},
	}
}

func TestConformance(t *testing.T) {
	for _, server := range []struct {
		name  string
		serve func(testing.TB, http.Handler) *httptest.Server
		h     middleware.Handler
	}{
		{"TLS, batched", serve, middleware.Batched(middleware.Echo(""))},
		{"TLS, one by one", serve, middleware.Echo("")},
		{"h2c, batched", servePlain, middleware.Batched(middleware.Echo(""))},
	} {
		t.Run(server.name, func(t *testing.T) {
			s := server.serve(t, echo(middleware.Options{Handler: server.h}).Handler(app()))
			c := dial(t, s) // Each case is a stream of one connection.
			for _, test := range conformanceCases() {
				t.Run(test.name, func(t *testing.T) { test.run(t, c) })
			}
		})
	}
}

// run tries the case in several deliveries.
func (test conformanceCase) run(t *testing.T, c *client) {
	t.Run("at once", func(t *testing.T) { test.deliver(t, c, func() int { return 16 << 10 }) })
	t.Run("in random pieces", func(t *testing.T) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		test.deliver(t, c, func() int { return 1 + r.IntN(len(test.send)/8+1) })
	})
	if len(test.send) < 500 {
		t.Run("byte by byte", func(t *testing.T) { test.deliver(t, c, func() int { return 1 }) })
	}
}

// deliver sends the case in DATA frames of these sizes.
func (test conformanceCase) deliver(t *testing.T, c *client, size func() int) {
	c.t = t
	ws := c.connect()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for rest := test.send; rest != ""; {
			n := min(size(), len(rest))
			if _, err := io.WriteString(ws, rest[:n]); err != nil {
				return // The server has ended the stream, as the reader will see.
			}
			rest = rest[n:]
		}
	}()
	ws.want(test.want)
	ws.wantEnd()
	<-sent
}
