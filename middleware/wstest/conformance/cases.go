// Package conformance has what a client may send to a WebSocket server, byte by byte, and what an
// echo answers that keeps RFC 6455, whatever the connection runs over.
package conformance

import (
	"fmt"
	"slices"
	"strings"
)

// Case is what a client sends, and what a server that echoes each message answers before the end of
// the stream.
type Case struct{ Name, Send, Want string }

// Protocol returns what RFC 6455 demands of a server. Each case ends with a close frame. The server
// must have a limit of 1 MiB for messages.
func Protocol() []Case {
	return slices.Concat(messages(), fragments(), malformedFrames(), misplacedFrames(),
		malformedPayloads(), closes())
}

const (
	bye     = "\x88\x82\x01\x02\x03\x04\x02\xea" // a close frame of the client with code 1000
	byeBack = "\x88\x02\x03\xe8"                 // the answer to it
)

// echoes is a case in which all is well until the client closes.
func echoes(name, send, want string) Case { return Case{name, send + bye, want + byeBack} }

// violation is a case with a violation behind a message that has to be answered, and before one
// that must not be.
func violation(name, bytes string, code uint16, reason string) Case {
	return Case{
		name, text("before") + bytes + text("after"),
		reply(0x81, "before") + closeReply(code, reason),
	}
}

// messages are messages and their echoes.
func messages() []Case {
	return []Case{
		echoes("5.1 text", text("abc"), reply(0x81, "abc")),
		echoes("5.1 binary", frame(0x82, "\x00\xff"), reply(0x82, "\x00\xff")),
		echoes("5.1 empty", text("")+frame(0x82, ""), reply(0x81, "")+reply(0x82, "")),
		echoes(
			"5.2 length 125", text(strings.Repeat("x", 125)),
			reply(0x81, strings.Repeat("x", 125)),
		),
		echoes(
			"5.2 length 126", text(strings.Repeat("x", 126)),
			reply(0x81, strings.Repeat("x", 126)),
		),
		echoes(
			"5.2 length 65535", text(strings.Repeat("x", 65535)),
			reply(0x81, strings.Repeat("x", 65535)),
		),
		echoes(
			"5.2 length 65536", text(strings.Repeat("x", 65536)),
			reply(0x81, strings.Repeat("x", 65536)),
		),
		echoes(
			"7.1.7 message at the limit", frame(0x82, strings.Repeat("x", 1<<20)),
			reply(0x82, strings.Repeat("x", 1<<20)),
		),
		echoes(
			"5.6 UTF-8 split", frame(0x01, "\xf0\x9f")+frame(0x80, "\x8c\x8d"),
			reply(0x81, "🌍"),
		),
		echoes(
			"5.6 UTF-8 limits", text("\x00\u07ff\u0800\ud7fe\ue000\uffff\U00010000\U0010ffff"),
			reply(0x81, "\x00\u07ff\u0800\ud7fe\ue000\uffff\U00010000\U0010ffff"),
		),
	}
}

// fragments are fragmented messages, with control frames between.
func fragments() []Case {
	return []Case{
		echoes(
			"5.4 fragments", frame(0x01, "a")+frame(0x00, "")+frame(0x00, "b")+frame(0x80, "c"),
			reply(0x81, "abc"),
		),
		echoes("5.4 empty fragments", frame(0x01, "")+frame(0x80, ""), reply(0x81, "")),
		echoes(
			"5.4 ping between fragments", frame(0x01, "a")+frame(0x89, "p")+frame(0x80, "b"),
			reply(0x8a, "p")+reply(0x81, "ab"),
		),
		echoes(
			"5.4 1024 empty fragments",
			frame(0x01, "a")+strings.Repeat(frame(0x00, ""), 1024)+frame(0x80, "b"),
			reply(0x81, "ab"),
		),
		violation(
			"5.4 1025 empty fragments", frame(0x01, "a")+strings.Repeat(frame(0x00, ""), 1025),
			1008, "more than 1024 empty fragments in one message",
		),
		echoes(
			"5.5.2 ping", frame(0x89, "")+frame(0x89, strings.Repeat("p", 125)),
			reply(0x8a, "")+reply(0x8a, strings.Repeat("p", 125)),
		),
		{"5.5.3 pong unasked for", frame(0x8a, "x") + bye, byeBack},
	}
}

// malformedFrames break the rules for a single frame.
func malformedFrames() []Case {
	return []Case{
		violation("5.1 unmasked", "\x81\x01a", 1002, "unmasked frame"),
		violation("5.2 RSV1", frame(0xc1, "x"), 1002, "reserved bit RSV1 set"),
		violation("5.2 RSV2", frame(0xa1, "x"), 1002, "reserved bit set"),
		violation("5.2 RSV3", frame(0x91, "x"), 1002, "reserved bit set"),
		violation(
			"5.2 RSV1 on ping", frame(0xc9, "x"),
			1002, "reserved bit RSV1 set",
		),
		violation("5.2 opcode 3", frame(0x83, ""), 1002, "reserved opcode 3"),
		violation("5.2 opcode 7", frame(0x87, ""), 1002, "reserved opcode 7"),
		violation("5.2 opcode 11", frame(0x8b, ""), 1002, "reserved opcode 11"),
		violation("5.2 opcode 15", frame(0x8f, ""), 1002, "reserved opcode 15"),
		violation(
			"5.2 16 bits for 125", "\x81\xfe\x00\x7d"+masked(strings.Repeat("x", 125)),
			1002, "payload length not in its shortest form",
		),
		violation(
			"5.2 64 bits for 65535",
			"\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff"+masked(strings.Repeat("x", 65535)),
			1002, "payload length not in its shortest form",
		),
		violation(
			"5.2 top bit of length", "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x01"+masked("x"),
			1002, "payload length with its top bit set",
		),
	}
}

// misplacedFrames break the rules for the order of frames and for control frames.
func misplacedFrames() []Case {
	return []Case{
		violation("5.4 continuation first", frame(0x80, "x"), 1002, "continuation of no message"),
		{
			"5.4 continuation after the end",
			frame(0x01, "a") + frame(0x80, "b") + frame(0x80, "c"),
			reply(0x81, "ab") + closeReply(1002, "continuation of no message"),
		},
		violation(
			"5.4 text inside text", frame(0x01, "a")+text("b"),
			1002, "new message before the end of a fragmented one",
		),
		violation(
			"5.4 binary inside text", frame(0x01, "a")+frame(0x02, "b"),
			1002, "new message before the end of a fragmented one",
		),
		violation(
			"5.5 ping of 126", frame(0x89, strings.Repeat("p", 126)),
			1002, "control frame larger than 125 bytes",
		),
		violation(
			"5.5 ping of 2^62", "\x89\xff\x40\x00\x00\x00\x00\x00\x00\x00",
			1002, "control frame larger than 125 bytes",
		),
		violation("5.5 ping fragmented", frame(0x09, "p"), 1002, "fragmented control frame"),
		violation(
			"5.5 close fragmented", frame(0x08, "\x03\xe8"),
			1002, "fragmented control frame",
		),
		violation(
			"5.5.1 close of one byte", frame(0x88, "\x03"),
			1002, "close frame with half a code",
		),
		violation(
			"5.5.1 close of 126", closing(1000, strings.Repeat("x", 124)),
			1002, "control frame larger than 125 bytes",
		),
	}
}

// malformedPayloads have a payload that is not UTF-8, or too large.
func malformedPayloads() []Case {
	return []Case{
		violation("8.1 text", text("a\xff"), 1007, "text is not UTF-8"),
		violation("8.1 overlong", text("\xc0\xaf"), 1007, "text is not UTF-8"),
		violation("8.1 surrogate", text("\xed\xa0\x80"), 1007, "text is not UTF-8"),
		violation("8.1 above U+10FFFF", text("\xf4\x90\x80\x80"), 1007, "text is not UTF-8"),
		violation("8.1 ends within a character", text("\xf0\x9f\x8c"), 1007, "text is not UTF-8"),
		violation(
			"8.1 second fragment", frame(0x01, "a")+frame(0x80, "\xff"),
			1007, "text is not UTF-8",
		),
		violation(
			"8.1 before the end of the message", frame(0x01, "\xf4\x90"),
			1007, "text is not UTF-8",
		),
		violation("8.1 close reason", closing(1000, "\xff"), 1007, "close reason is not UTF-8"),
		violation(
			"7.1.7 message of 2^62 bytes", "\x82\xff\x40\x00\x00\x00\x00\x00\x00\x00",
			1009, "message larger than 1048576 bytes",
		),
		violation(
			"7.1.7 message too large in fragments",
			frame(0x02, strings.Repeat("x", 1<<20))+frame(0x80, "x"),
			1009, "message larger than 1048576 bytes",
		),
	}
}

// closes end the connection, and more follows.
func closes() []Case {
	return []Case{
		{"5.5.1 close without a code", frame(0x88, ""), reply(0x88, "")},
		{
			"5.5.1 close with a reason of 123", closing(1000, strings.Repeat("r", 123)),
			closeReply(1000, strings.Repeat("r", 123)),
		},
		{"5.5.1 data after close", bye + text("late") + closing(1001, ""), byeBack},
		{"5.5.1 violation after close", bye + "\xff\xff\xff\xff", byeBack},
		{"5.5.1 close within a message", frame(0x01, "a") + bye, byeBack},
	}
}

// CloseCodes returns the codes that may be sent, and those that may not (RFC 6455 §7.4).
func CloseCodes() []Case {
	var cases []Case
	for _, code := range []uint16{
		1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
		3000, 3999, 4000, 4999,
	} {
		name := fmt.Sprintf("7.4 accepted %d", code)
		cases = append(cases, Case{name, closing(code, "reason"), closeReply(code, "reason")})
	}
	for _, code := range []uint16{
		0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535,
	} {
		name, reason := fmt.Sprintf("7.4 refused %d", code), fmt.Sprintf("close code %d", code)
		cases = append(cases, Case{name, closing(code, ""), closeReply(1002, reason)})
	}
	return cases
}
