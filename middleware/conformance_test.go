package middleware_test

import (
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware"
)

// conformanceCase sends bytes and expects bytes, then the end of the stream.
type conformanceCase struct {
	name, send, want string
}

// protocolCases are what RFC 6455 demands of a server that echoes; every case ends in a close.
func protocolCases() []conformanceCase {
	bye := closing(1000, "")
	byeBack := closeReply(1000, "")
	// Each violation is preceded by a message that has to be answered, and followed by one that
	// must not be.
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
		{"5.2 length 125", text(strings.Repeat("x", 125)) + bye, reply(0x81, strings.Repeat("x", 125)) + byeBack},
		{"5.2 length 126", text(strings.Repeat("x", 126)) + bye, reply(0x81, strings.Repeat("x", 126)) + byeBack},
		{"5.2 length 65535", text(strings.Repeat("x", 65535)) + bye, reply(0x81, strings.Repeat("x", 65535)) + byeBack},
		{"5.2 length 65536", text(strings.Repeat("x", 65536)) + bye, reply(0x81, strings.Repeat("x", 65536)) + byeBack},
		{"7.1.7 message at the limit", frame(0x82, strings.Repeat("x", 1<<20)) + bye, reply(0x82, strings.Repeat("x", 1<<20)) + byeBack},
		{"5.4 fragments", frame(0x01, "a") + frame(0x00, "") + frame(0x00, "b") + frame(0x80, "c") + bye, reply(0x81, "abc") + byeBack},
		{"5.4 empty fragments", frame(0x01, "") + frame(0x80, "") + bye, reply(0x81, "") + byeBack},
		{"5.4 ping between fragments", frame(0x01, "a") + frame(0x89, "p") + frame(0x80, "b") + bye, reply(0x8a, "p") + reply(0x81, "ab") + byeBack},
		{"5.4 1024 empty fragments", frame(0x01, "a") + strings.Repeat(frame(0x00, ""), 1024) + frame(0x80, "b") + bye, reply(0x81, "ab") + byeBack},
		violation("5.4 1025 empty fragments", frame(0x01, "a")+strings.Repeat(frame(0x00, ""), 1025), 1008, "more than 1024 empty fragments in one message"),
		{"5.5.2 ping", frame(0x89, "") + frame(0x89, strings.Repeat("p", 125)) + bye, reply(0x8a, "") + reply(0x8a, strings.Repeat("p", 125)) + byeBack},
		{"5.5.3 pong unasked for", frame(0x8a, "x") + bye, byeBack},
		{"5.6 UTF-8 split", frame(0x01, "\xf0\x9f") + frame(0x80, "\x8c\x8d") + bye, reply(0x81, "🌍") + byeBack},
		{"5.6 UTF-8 limits", text("\x00\u07ff\u0800\ud7fe\ue000\uffff\U00010000\U0010ffff") + bye, reply(0x81, "\x00\u07ff\u0800\ud7fe\ue000\uffff\U00010000\U0010ffff") + byeBack},

		violation("5.1 unmasked", "\x81\x01a", 1002, "unmasked frame"),
		violation("5.2 RSV1", frame(0x80|rsv1Bit|textOp, "x"), 1002, "reserved bit RSV1 set"),
		violation("5.2 RSV2", frame(0x80|rsv2Bit|textOp, "x"), 1002, "reserved bit set"),
		violation("5.2 RSV3", frame(0x80|rsv3Bit|textOp, "x"), 1002, "reserved bit set"),
		violation("5.2 RSV1 on ping", frame(0x80|rsv1Bit|pingOp, "x"), 1002, "reserved bit RSV1 set"),
		violation("5.2 opcode 3", frame(0x83, ""), 1002, "reserved opcode 3"),
		violation("5.2 opcode 7", frame(0x87, ""), 1002, "reserved opcode 7"),
		violation("5.2 opcode 11", frame(0x8b, ""), 1002, "reserved opcode 11"),
		violation("5.2 opcode 15", frame(0x8f, ""), 1002, "reserved opcode 15"),
		violation("5.2 16 bits for 125", "\x81\xfe\x00\x7d"+masked(strings.Repeat("x", 125)), 1002, "payload length not in its shortest form"),
		violation("5.2 64 bits for 65535", "\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff"+masked(strings.Repeat("x", 65535)), 1002, "payload length not in its shortest form"),
		violation("5.2 top bit of length", "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x01"+masked("x"), 1002, "payload length with its top bit set"),
		violation("5.4 continuation first", frame(0x80, "x"), 1002, "continuation of no message"),
		{"5.4 continuation after the end", frame(0x01, "a") + frame(0x80, "b") + frame(0x80, "c"), reply(0x81, "ab") + closeReply(1002, "continuation of no message")},
		violation("5.4 text inside text", frame(0x01, "a")+text("b"), 1002, "new message before the end of a fragmented one"),
		violation("5.4 binary inside text", frame(0x01, "a")+frame(0x02, "b"), 1002, "new message before the end of a fragmented one"),
		violation("5.5 ping of 126", header(0x89, 126)+masked(strings.Repeat("p", 126)), 1002, "control frame larger than 125 bytes"),
		violation("5.5 ping of 2^62", "\x89\xff\x40\x00\x00\x00\x00\x00\x00\x00", 1002, "control frame larger than 125 bytes"),
		violation("5.5 ping fragmented", frame(0x09, "p"), 1002, "fragmented control frame"),
		violation("5.5 close fragmented", frame(0x08, "\x03\xe8"), 1002, "fragmented control frame"),
		violation("5.5.1 close of one byte", frame(0x88, "\x03"), 1002, "close frame with half a code"),
		violation("5.5.1 close of 126", header(0x88, 126)+masked("\x03\xe8"+strings.Repeat("x", 124)), 1002, "control frame larger than 125 bytes"),
		violation("8.1 text", text("a\xff"), 1007, "text is not UTF-8"),
		violation("8.1 overlong", text("\xc0\xaf"), 1007, "text is not UTF-8"),
		violation("8.1 surrogate", text("\xed\xa0\x80"), 1007, "text is not UTF-8"),
		violation("8.1 above U+10FFFF", text("\xf4\x90\x80\x80"), 1007, "text is not UTF-8"),
		violation("8.1 ends within a character", text("\xf0\x9f\x8c"), 1007, "text is not UTF-8"),
		violation("8.1 second fragment", frame(0x01, "a")+frame(0x80, "\xff"), 1007, "text is not UTF-8"),
		violation("8.1 before the end of the message", frame(0x01, "\xf4\x90"), 1007, "text is not UTF-8"),
		violation("8.1 close reason", closing(1000, "\xff"), 1007, "close reason is not UTF-8"),
		violation("7.1.7 message of 2^62 bytes", "\x82\xff\x40\x00\x00\x00\x00\x00\x00\x00", 1009, "message larger than 1048576 bytes"),
		violation("7.1.7 message too large in fragments", header(0x02, 1<<20)+masked(strings.Repeat("x", 1<<20))+frame(0x80, "x"), 1009, "message larger than 1048576 bytes"),

		{"5.5.1 close without a code", frame(0x88, ""), reply(0x88, "")},
		{"5.5.1 close with a reason of 123", closing(1000, strings.Repeat("r", 123)), closeReply(1000, strings.Repeat("r", 123))},
		{"5.5.1 data after close", bye + text("late") + closing(1001, ""), byeBack},
		{"5.5.1 violation after close", bye + "\xff\xff\xff\xff", byeBack},
		{"5.5.1 close within a message", frame(0x01, "a") + bye, byeBack},
	}
}

// closeCodeCases are the codes that may be sent, and those that may not (RFC 6455 §7.4).
func closeCodeCases() []conformanceCase {
	var cases []conformanceCase
	for _, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		cases = append(cases, conformanceCase{"7.4 accepted", closing(code, "reason"), closeReply(code, "reason")})
	}
	for code, reason := range map[uint16]string{
		0: "close code 0", 999: "close code 999", 1004: "close code 1004", 1005: "close code 1005",
		1006: "close code 1006", 1015: "close code 1015", 1016: "close code 1016", 2000: "close code 2000",
		2999: "close code 2999", 5000: "close code 5000", 65535: "close code 65535",
	} {
		cases = append(cases, conformanceCase{"7.4 refused", closing(code, ""), closeReply(1002, reason)})
	}
	return cases
}

func TestConformance(t *testing.T) {
	for name, h := range map[string]middleware.Handler{
		"batched":    middleware.Batched(plainEcho()),
		"one by one": plainEcho(),
	} {
		s := serve(t, middleware.Options{Handler: h})
		for _, c := range append(protocolCases(), closeCodeCases()...) {
			t.Run(name+"/"+c.name, func(t *testing.T) { c.run(t, s) })
		}
	}
}

// Behind TLS the road to the network is another one.
func TestConformanceTLS(t *testing.T) {
	m := middleware.New(middleware.Options{
		Handler: middleware.Batched(plainEcho()), Logger: textLogger(io.Discard),
	})
	s := httptest.NewTLSServer(m)
	t.Cleanup(s.Close)
	for _, c := range append(protocolCases(), closeCodeCases()...) {
		t.Run(c.name, func(t *testing.T) { c.run(t, s) })
	}
}

// run tries the case in several deliveries, on connections with these header lines.
func (c conformanceCase) run(t *testing.T, s *httptest.Server, lines ...string) {
	t.Parallel()
	t.Run("at once", func(t *testing.T) { c.deliver(t, s, lines, []int{len(c.send)}) })
	t.Run("in random pieces", func(t *testing.T) {
		c.deliver(t, s, lines, randomSplit(t, len(c.send)))
	})
	if len(c.send) < 500 {
		t.Run("byte by byte", func(t *testing.T) { c.deliver(t, s, lines, []int{1}) })
	}
}

// deliver sends the case in pieces of these sizes, the last size over and over.
func (c conformanceCase) deliver(t *testing.T, s *httptest.Server, lines []string, sizes []int) {
	client := connect(t, s, lines...)
	go func() {
		for rest := c.send; rest != ""; {
			n := min(sizes[0], len(rest))
			if _, err := io.WriteString(client.Conn, rest[:n]); err != nil {
				return // The server has ended the connection, as the reader will see.
			}
			rest = rest[n:]
			if len(sizes) > 1 {
				sizes = sizes[1:]
			}
		}
	}()
	client.want(c.want)
	client.wantEnd()
}

func randomSplit(t *testing.T, n int) []int {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var sizes []int
	for n > 0 {
		size := 1 + r.IntN(max(1, n/8))
		sizes = append(sizes, size)
		n -= size
	}
	return append(sizes, 1)
}
