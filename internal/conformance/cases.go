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
		name, Text("before") + bytes + Text("after"),
		Reply(0x81, "before") + CloseReply(code, reason),
	}
}

// messages are messages and their echoes.
func messages() []Case {
	return []Case{
		echoes("5.1 text", Text("abc"), Reply(0x81, "abc")),
		echoes("5.1 binary", Frame(0x82, "\x00\xff"), Reply(0x82, "\x00\xff")),
		echoes("5.1 empty", Text("")+Frame(0x82, ""), Reply(0x81, "")+Reply(0x82, "")),
		echoes(
			"5.2 length 125", Text(strings.Repeat("x", 125)),
			Reply(0x81, strings.Repeat("x", 125)),
		),
		echoes(
			"5.2 length 126", Text(strings.Repeat("x", 126)),
			Reply(0x81, strings.Repeat("x", 126)),
		),
		echoes(
			"5.2 length 65535", Text(strings.Repeat("x", 65535)),
			Reply(0x81, strings.Repeat("x", 65535)),
		),
		echoes(
			"5.2 length 65536", Text(strings.Repeat("x", 65536)),
			Reply(0x81, strings.Repeat("x", 65536)),
		),
		echoes(
			"7.1.7 message at the limit", Frame(0x82, strings.Repeat("x", 1<<20)),
			Reply(0x82, strings.Repeat("x", 1<<20)),
		),
		echoes(
			"5.6 UTF-8 split", Frame(0x01, "\xf0\x9f")+Frame(0x80, "\x8c\x8d"),
			Reply(0x81, "🌍"),
		),
		echoes(
			"5.6 UTF-8 limits", Text("\x00\u07ff\u0800\ud7fe\ue000\uffff\U00010000\U0010ffff"),
			Reply(0x81, "\x00\u07ff\u0800\ud7fe\ue000\uffff\U00010000\U0010ffff"),
		),
	}
}

// fragments are fragmented messages, with control frames between.
func fragments() []Case {
	return []Case{
		echoes(
			"5.4 fragments", Frame(0x01, "a")+Frame(0x00, "")+Frame(0x00, "b")+Frame(0x80, "c"),
			Reply(0x81, "abc"),
		),
		echoes("5.4 empty fragments", Frame(0x01, "")+Frame(0x80, ""), Reply(0x81, "")),
		echoes(
			"5.4 ping between fragments", Frame(0x01, "a")+Frame(0x89, "p")+Frame(0x80, "b"),
			Reply(0x8a, "p")+Reply(0x81, "ab"),
		),
		echoes(
			"5.4 1024 empty fragments",
			Frame(0x01, "a")+strings.Repeat(Frame(0x00, ""), 1024)+Frame(0x80, "b"),
			Reply(0x81, "ab"),
		),
		violation(
			"5.4 1025 empty fragments", Frame(0x01, "a")+strings.Repeat(Frame(0x00, ""), 1025),
			1008, "more than 1024 empty fragments in one message",
		),
		echoes(
			"5.5.2 ping", Frame(0x89, "")+Frame(0x89, strings.Repeat("p", 125)),
			Reply(0x8a, "")+Reply(0x8a, strings.Repeat("p", 125)),
		),
		{"5.5.3 pong unasked for", Frame(0x8a, "x") + bye, byeBack},
	}
}

// malformedFrames break the rules for a single frame.
func malformedFrames() []Case {
	return []Case{
		violation("5.1 unmasked", "\x81\x01a", 1002, "unmasked frame"),
		violation("5.2 RSV1", Frame(0xc1, "x"), 1002, "reserved bit RSV1 set"),
		violation("5.2 RSV2", Frame(0xa1, "x"), 1002, "reserved bit set"),
		violation("5.2 RSV3", Frame(0x91, "x"), 1002, "reserved bit set"),
		violation(
			"5.2 RSV1 on ping", Frame(0xc9, "x"),
			1002, "reserved bit RSV1 set",
		),
		violation("5.2 opcode 3", Frame(0x83, ""), 1002, "reserved opcode 3"),
		violation("5.2 opcode 7", Frame(0x87, ""), 1002, "reserved opcode 7"),
		violation("5.2 opcode 11", Frame(0x8b, ""), 1002, "reserved opcode 11"),
		violation("5.2 opcode 15", Frame(0x8f, ""), 1002, "reserved opcode 15"),
		violation(
			"5.2 16 bits for 125", "\x81\xfe\x00\x7d"+Masked(strings.Repeat("x", 125)),
			1002, "payload length not in its shortest form",
		),
		violation(
			"5.2 64 bits for 65535",
			"\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff"+Masked(strings.Repeat("x", 65535)),
			1002, "payload length not in its shortest form",
		),
		violation(
			"5.2 top bit of length", "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x01"+Masked("x"),
			1002, "payload length with its top bit set",
		),
	}
}

// misplacedFrames break the rules for the order of frames and for control frames.
func misplacedFrames() []Case {
	return []Case{
		violation("5.4 continuation first", Frame(0x80, "x"), 1002, "continuation of no message"),
		{
			"5.4 continuation after the end",
			Frame(0x01, "a") + Frame(0x80, "b") + Frame(0x80, "c"),
			Reply(0x81, "ab") + CloseReply(1002, "continuation of no message"),
		},
		violation(
			"5.4 text inside text", Frame(0x01, "a")+Text("b"),
			1002, "new message before the end of a fragmented one",
		),
		violation(
			"5.4 binary inside text", Frame(0x01, "a")+Frame(0x02, "b"),
			1002, "new message before the end of a fragmented one",
		),
		violation(
			"5.5 ping of 126", Header(0x89, 126)+Masked(strings.Repeat("p", 126)),
			1002, "control frame larger than 125 bytes",
		),
		violation(
			"5.5 ping of 2^62", "\x89\xff\x40\x00\x00\x00\x00\x00\x00\x00",
			1002, "control frame larger than 125 bytes",
		),
		violation("5.5 ping fragmented", Frame(0x09, "p"), 1002, "fragmented control frame"),
		violation(
			"5.5 close fragmented", Frame(0x08, "\x03\xe8"),
			1002, "fragmented control frame",
		),
		violation(
			"5.5.1 close of one byte", Frame(0x88, "\x03"),
			1002, "close frame with half a code",
		),
		violation(
			"5.5.1 close of 126", Header(0x88, 126)+Masked("\x03\xe8"+strings.Repeat("x", 124)),
			1002, "control frame larger than 125 bytes",
		),
	}
}

// malformedPayloads have a payload that is not UTF-8, or too large.
func malformedPayloads() []Case {
	return []Case{
		violation("8.1 text", Text("a\xff"), 1007, "text is not UTF-8"),
		violation("8.1 overlong", Text("\xc0\xaf"), 1007, "text is not UTF-8"),
		violation("8.1 surrogate", Text("\xed\xa0\x80"), 1007, "text is not UTF-8"),
		violation("8.1 above U+10FFFF", Text("\xf4\x90\x80\x80"), 1007, "text is not UTF-8"),
		violation("8.1 ends within a character", Text("\xf0\x9f\x8c"), 1007, "text is not UTF-8"),
		violation(
			"8.1 second fragment", Frame(0x01, "a")+Frame(0x80, "\xff"),
			1007, "text is not UTF-8",
		),
		violation(
			"8.1 before the end of the message", Frame(0x01, "\xf4\x90"),
			1007, "text is not UTF-8",
		),
		violation("8.1 close reason", Closing(1000, "\xff"), 1007, "close reason is not UTF-8"),
		violation(
			"7.1.7 message of 2^62 bytes", "\x82\xff\x40\x00\x00\x00\x00\x00\x00\x00",
			1009, "message larger than 1048576 bytes",
		),
		violation(
			"7.1.7 message too large in fragments",
			Header(0x02, 1<<20)+Masked(strings.Repeat("x", 1<<20))+Frame(0x80, "x"),
			1009, "message larger than 1048576 bytes",
		),
	}
}

// closes end the connection, and more follows.
func closes() []Case {
	return []Case{
		{"5.5.1 close without a code", Frame(0x88, ""), Reply(0x88, "")},
		{
			"5.5.1 close with a reason of 123", Closing(1000, strings.Repeat("r", 123)),
			CloseReply(1000, strings.Repeat("r", 123)),
		},
		{"5.5.1 data after close", bye + Text("late") + Closing(1001, ""), byeBack},
		{"5.5.1 violation after close", bye + "\xff\xff\xff\xff", byeBack},
		{"5.5.1 close within a message", Frame(0x01, "a") + bye, byeBack},
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
		cases = append(cases, Case{name, Closing(code, "reason"), CloseReply(code, "reason")})
	}
	for _, code := range []uint16{
		0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535,
	} {
		name, reason := fmt.Sprintf("7.4 refused %d", code), fmt.Sprintf("close code %d", code)
		cases = append(cases, Case{name, Closing(code, ""), CloseReply(1002, reason)})
	}
	return cases
}
