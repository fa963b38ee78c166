package frame

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// deliver gives the pieces to the guard until it ends the stream, and what is behind the end of a
// message again. It returns what was let through.
func deliver(g *Guard, pieces ...string) (through string, err error) {
	var b []byte
	for _, piece := range pieces {
		for rest := []byte(piece); len(rest) > 0; {
			n, err := g.Advance(rest)
			b = append(b, rest[:n]...)
			switch {
			case err != nil:
				return string(b), err
			case n == 0 && !g.Closing():
				return string(b), errors.New("nothing is let through")
			case g.Closing():
				n = len(rest)
			}
			rest = rest[n:]
		}
	}
	return string(b), nil
}

// verdict is the error of a guard in one line.
func verdict(err error) string {
	var violation *Violation
	var received *CloseReceived
	switch {
	case err == nil:
		return ""
	case errors.As(err, &violation):
		return fmt.Sprintf("%d %s", violation.Code, violation.Reason)
	case errors.As(err, &received):
		return fmt.Sprintf("closed %d %q", received.Code, received.Reason)
	}
	return "neither a violation nor a close frame: " + err.Error()
}

// testDeliveries checks the verdict for the stream as a whole, byte by byte, and cut in two at
// every byte. For a stream longer than 500 bytes, it takes about 40 cuts.
func testDeliveries(t *testing.T, guard Guard, stream string, through int, want string) {
	t.Helper()
	test := func(delivery string, pieces ...string) {
		t.Helper()
		g := guard
		got, err := deliver(&g, pieces...)
		if len(got) != through || verdict(err) != want {
			t.Errorf("%s: got %q after %d bytes, want %q after %d",
				delivery, verdict(err), len(got), want, through)
		}
	}
	test("as a whole", stream)
	test("byte by byte", strings.Split(stream, "")...)
	step := 1
	if len(stream) > 500 {
		step = len(stream) / 40
	}
	for cut := 1; cut < len(stream); cut += step {
		test(fmt.Sprintf("cut at %d", cut), stream[:cut], stream[cut:])
	}
}

// zeroKey is a masking key that leaves the payload as it is.
const zeroKey = "\x00\x00\x00\x00"

// Each stream is let through up to the byte that breaks a rule. That byte, and all of a close
// frame, are held back.
func TestGuardRules(t *testing.T) {
	const (
		hello    = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58" // RFC 6455 §5.7
		fragment = "\x01\x83\x37\xfa\x21\x3d\x7f\x9f\x4d"
		ping     = "\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
		end      = "\x80\x82\x3d\x37\xfa\x21\x51\x58"
		empty    = "\x00\x80\x00\x00\x00\x00"
	)
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, test := range []struct {
		name, stream string
		through      int
		want         string
	}{
		{"5.1 nothing", "", 0, ""},
		{"5.1 masked", hello, 11, ""},
		{"5.1 unmasked", "\x81\x05Hello", 1, "1002 unmasked frame"},
		{"5.1 unmasked second message", hello + "\x82\x00", 12, "1002 unmasked frame"},
		{"5.1 unmasked ping", "\x89\x00", 1, "1002 unmasked frame"},
		{"5.1 unmasked close", "\x88\x02\x03\xe8", 0, "1002 unmasked frame"},

		{"5.2 RSV1", "\xc1", 0, "1002 reserved bit RSV1 set"},
		{"5.2 RSV2", "\xa1", 0, "1002 reserved bit set"},
		{"5.2 RSV3", "\x91", 0, "1002 reserved bit set"},
		{"5.2 all reserved bits", "\xf1", 0, "1002 reserved bit set"},
		{"5.2 RSV1 on a continuation", fragment + "\xc0", 9, "1002 reserved bit RSV1 set"},
		{"5.2 RSV1 on a close", "\xc8", 0, "1002 reserved bit RSV1 set"},
		{"5.2 RSV1 on a ping", "\xc9", 0, "1002 reserved bit RSV1 set"},
		{"5.2 RSV1 on a pong", "\xca", 0, "1002 reserved bit RSV1 set"},
		{"5.2 RSV2 on a ping", "\xa9", 0, "1002 reserved bit set"},
		{"5.2 RSV3 on a close", "\x98", 0, "1002 reserved bit set"},
		{"5.2 RSV1 in a payload", "\x81\x81" + zeroKey + "\xc1", 7, ""},

		{"5.2 opcode 3", "\x83", 0, "1002 reserved opcode 3"},
		{"5.2 opcode 4", "\x84", 0, "1002 reserved opcode 4"},
		{"5.2 opcode 5", "\x85", 0, "1002 reserved opcode 5"},
		{"5.2 opcode 6", "\x86", 0, "1002 reserved opcode 6"},
		{"5.2 opcode 7", "\x87", 0, "1002 reserved opcode 7"},
		{"5.2 opcode 11", "\x8b", 0, "1002 reserved opcode 11"},
		{"5.2 opcode 12", "\x8c", 0, "1002 reserved opcode 12"},
		{"5.2 opcode 13", "\x8d", 0, "1002 reserved opcode 13"},
		{"5.2 opcode 14", "\x8e", 0, "1002 reserved opcode 14"},
		{"5.2 opcode 15", "\x8f", 0, "1002 reserved opcode 15"},
		{"5.2 opcode 3 behind a message", hello + "\x03", 11, "1002 reserved opcode 3"},

		{"5.2 length 0", "\x82\x80" + zeroKey, 6, ""},
		{"5.2 length 125", "\x82\xfd" + zeroKey + x(125), 131, ""},
		{"5.2 length 126", "\x82\xfe\x00\x7e" + zeroKey + x(126), 134, ""},
		{"5.2 length 65535", "\x82\xfe\xff\xff" + zeroKey + x(65535), 65543, ""},
		{"5.2 length 65536", "\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00" + zeroKey + x(65536), 65550, ""},
		{"5.2 length 2^63-1", "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" + zeroKey + "x", 15, ""},
		{"5.2 16 bits for 0", "\x82\xfe\x00\x00", 3, "1002 payload length not in its shortest form"},
		{"5.2 16 bits for 125", "\x82\xfe\x00\x7d", 3, "1002 payload length not in its shortest form"},
		{"5.2 64 bits for 0", "\x82\xff\x00\x00\x00\x00\x00\x00\x00\x00", 9, "1002 payload length not in its shortest form"},
		{"5.2 64 bits for 65535", "\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff", 9, "1002 payload length not in its shortest form"},
		{"5.2 length 2^63", "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00", 9, "1002 payload length with its top bit set"},
		{"5.2 length 2^64-1", "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9, "1002 payload length with its top bit set"},

		{"5.4 fragments", fragment + "\x00\x80\x00\x00\x00\x00" + end, 23, ""},
		{"5.4 ping between fragments", fragment + ping + end, 28, ""},
		{"5.4 message behind fragments", fragment + end + hello, 28, ""},
		{"5.4 continuation first", "\x80", 0, "1002 continuation of no message"},
		{"5.4 fragment of no message", "\x00", 0, "1002 continuation of no message"},
		{"5.4 continuation of a message in one frame", hello + "\x80", 11, "1002 continuation of no message"},
		{"5.4 continuation after the end", fragment + end + "\x80", 17, "1002 continuation of no message"},
		{"5.4 continuation of a ping", ping + "\x80", 11, "1002 continuation of no message"},
		{"5.4 text inside a text", fragment + "\x81", 9, "1002 new message before the end of a fragmented one"},
		{"5.4 binary inside a text", fragment + ping + "\x02", 20, "1002 new message before the end of a fragmented one"},
		{"5.4 1024 empty fragments", fragment + strings.Repeat(empty, 1024) + end, 6161, ""},
		{"5.4 1025 empty fragments", fragment + strings.Repeat(empty, 1025), 6154, "1008 more than 1024 empty fragments in one message"},
		{"5.4 1025 empty fragments, the first one too", "\x02\x80" + zeroKey + strings.Repeat(empty, 1024), 6145, "1008 more than 1024 empty fragments in one message"},
		{"5.4 1024 empty fragments and an empty end", fragment + strings.Repeat(empty, 1024) + "\x80\x80" + zeroKey, 6159, ""},
		{"5.4 1024 empty fragments, twice", strings.Repeat(fragment+strings.Repeat(empty, 1024)+end, 2), 12322, ""},
		{"5.4 1100 empty pings", fragment + strings.Repeat("\x89\x80"+zeroKey, 1100) + end, 6617, ""},

		{"5.5 ping of 125", "\x89\xfd" + zeroKey + x(125), 131, ""},
		{"5.5 ping of 126", "\x89\xfe", 1, "1002 control frame larger than 125 bytes"},
		{"5.5 pong of 126", "\x8a\xfe", 1, "1002 control frame larger than 125 bytes"},
		{"5.5 pong of 2^16", "\x8a\xff", 1, "1002 control frame larger than 125 bytes"},
		{"5.5 close of 126", "\x88\xfe", 0, "1002 control frame larger than 125 bytes"},
		{"5.5 ping fragmented", "\x09", 0, "1002 fragmented control frame"},
		{"5.5 pong fragmented", "\x0a", 0, "1002 fragmented control frame"},
		{"5.5 close fragmented", "\x08", 0, "1002 fragmented control frame"},
		{"5.5.2 ping", "\x89\x80" + zeroKey, 6, ""},
		{"5.5.3 pong unasked for", "\x8a\x80" + zeroKey + hello, 17, ""},

		{"5.5.1 close without a code", hello + "\x88\x80\x01\x02\x03\x04", 11, `closed 1005 ""`},
		{"5.5.1 close with a code", hello + "\x88\x82\x01\x02\x03\x04\x02\xea", 11, `closed 1000 ""`},
		{"5.5.1 close with a reason", "\x88\x85\x01\x02\x03\x04\x02\xea\x61\x7d\x64", 0, `closed 1000 "bye"`},
		{"5.5.1 close with a reason of 123", "\x88\xfd" + zeroKey + "\x03\xe9" + x(123), 0, `closed 1001 "` + x(123) + `"`},
		{"5.5.1 close in a fragmented message", fragment + "\x88\x80" + zeroKey, 9, `closed 1005 ""`},
		{"5.5.1 close incomplete", hello + "\x88\x82\x01\x02\x03\x04\x02", 11, ""},
		{"5.5.1 first byte of a close", hello + "\x88", 11, ""},
		{"5.5.1 anything behind a close", "\x88\x80" + zeroKey + "\xff\xff" + hello, 0, `closed 1005 ""`},
		{"5.5.1 close of one byte", hello + "\x88\x81", 11, "1002 close frame with half a code"},
		{"5.5.1 reason not UTF-8", "\x88\x83" + zeroKey + "\x03\xe8\xff", 0, "1007 close reason is not UTF-8"},
		{"5.5.1 reason ends within a character", "\x88\x84" + zeroKey + "\x03\xe8\xf0\x9f", 0, "1007 close reason is not UTF-8"},
		{"5.5.1 code before reason", "\x88\x83" + zeroKey + "\x03\xed\xff", 0, "1002 close code 1005"},

		{"7.4 code 0", "\x88\x82" + zeroKey + "\x00\x00", 0, "1002 close code 0"},
		{"7.4 code 999", "\x88\x82" + zeroKey + "\x03\xe7", 0, "1002 close code 999"},
		{"7.4 code 1003", "\x88\x82" + zeroKey + "\x03\xeb", 0, `closed 1003 ""`},
		{"7.4 code 1004", "\x88\x82" + zeroKey + "\x03\xec", 0, "1002 close code 1004"},
		{"7.4 code 1006", "\x88\x82" + zeroKey + "\x03\xee", 0, "1002 close code 1006"},
		{"7.4 code 1007", "\x88\x82" + zeroKey + "\x03\xef", 0, `closed 1007 ""`},
		{"7.4 code 1014", "\x88\x82" + zeroKey + "\x03\xf6", 0, `closed 1014 ""`},
		{"7.4 code 1015", "\x88\x82" + zeroKey + "\x03\xf7", 0, "1002 close code 1015"},
		{"7.4 code 2999", "\x88\x82" + zeroKey + "\x0b\xb7", 0, "1002 close code 2999"},
		{"7.4 code 3000", "\x88\x82" + zeroKey + "\x0b\xb8", 0, `closed 3000 ""`},
		{"7.4 code 4999", "\x88\x82" + zeroKey + "\x13\x87", 0, `closed 4999 ""`},
		{"7.4 code 5000", "\x88\x82" + zeroKey + "\x13\x88", 0, "1002 close code 5000"},
		{"7.4 code 65535", "\x88\x82" + zeroKey + "\xff\xff", 0, "1002 close code 65535"},
	} {
		t.Run(test.name, func(t *testing.T) {
			testDeliveries(t, NewGuard(false, -1), test.stream, test.through, test.want)
		})
	}
}

// The limit counts the payload of all frames of a message, and of no control frame.
func TestGuardLimit(t *testing.T) {
	const ten = "0123456789"
	for _, test := range []struct {
		name    string
		limit   int64
		stream  string
		through int
		want    string
	}{
		{"none", -1, "\x82\xff\x40\x00\x00\x00\x00\x00\x00\x00" + zeroKey, 14, ""},
		{"zero, empty message", 0, "\x82\x80" + zeroKey, 6, ""},
		{"zero, one byte", 0, "\x82\x81", 1, "1009 message larger than 0 bytes"},
		{"zero, ping", 0, "\x89\x8a" + zeroKey + ten, 16, ""},
		{"zero, compressed", 0, "\xc2\xfe\x04\x00", 4, ""},
		{"zero, compressed, too large", 0, "\xc2\xfe\x04\x01", 3, "1009 message larger than 0 bytes"},
		{"one frame", 10, "\x82\x8a" + zeroKey + ten, 16, ""},
		{"one frame, too large", 10, "\x82\x8b", 1, "1009 message larger than 10 bytes"},
		{"two messages", 10, "\x82\x8a" + zeroKey + ten + "\x82\x8a" + zeroKey + ten, 32, ""},
		{"two messages, second too large", 10, "\x82\x8a" + zeroKey + ten + "\x82\x8b", 17, "1009 message larger than 10 bytes"},
		{"fragments", 10, "\x02\x84" + zeroKey + "0123\x80\x86" + zeroKey + "456789", 22, ""},
		{"fragments, too large", 10, "\x02\x84" + zeroKey + "0123\x80\x87", 11, "1009 message larger than 10 bytes"},
		{"fragments, ping between", 10, "\x02\x85" + zeroKey + "01234\x89\x8a" + zeroKey + ten + "\x80\x85" + zeroKey + "56789", 38, ""},
		{"16 bits, too large", 125, "\x82\xfe\x00\x7e", 3, "1009 message larger than 125 bytes"},
		{"64 bits, too large", 1 << 20, "\x82\xff\x00\x00\x00\x00\x00\x10\x00\x01", 9, "1009 message larger than 1048576 bytes"},
		{"64 bits", 1 << 20, "\x82\xff\x00\x00\x00\x00\x00\x10\x00\x00" + zeroKey, 14, ""},
		// A compressed message may have an eighth and 1024 bytes more: 800 + 100 + 1024 = 0x784.
		{"compressed", 800, "\xc2\xfe\x07\x84", 4, ""},
		{"compressed, too large", 800, "\xc2\xfe\x07\x85", 3, "1009 message larger than 800 bytes"},
		{"not compressed, where it may be", 800, "\x82\xfe\x03\x21", 3, "1009 message larger than 800 bytes"},
		{"not compressed, behind a compressed one", 10, "\xc2\x8b" + zeroKey + ten + "x\x82\x8b", 18, "1009 message larger than 10 bytes"},
		{"the largest limit, compressed", 1<<63 - 1, "\xc2\xff\x7f\xff\xff\xff\xff\xff\xff\xff" + zeroKey, 14, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			testDeliveries(t, NewGuard(true, test.limit), test.stream, test.through, test.want)
		})
	}
}

// Where compression is agreed on, RSV1 may stand in the first frame of a message and nowhere else
// (RFC 7692 §6).
func TestGuardCompression(t *testing.T) {
	const first = "\x41\x81" + zeroKey + "x"
	for _, test := range []struct {
		name, stream string
		through      int
		want         string
	}{
		{"text", "\xc1\x81" + zeroKey + "x", 7, ""},
		{"binary", "\xc2\x81" + zeroKey + "x", 7, ""},
		{"first fragment", first + "\x80\x81" + zeroKey + "x", 14, ""},
		{"one message of two", "\x81\x80" + zeroKey + "\xc1\x80" + zeroKey, 12, ""},
		{"second fragment", first + "\x40", 7, "1002 reserved bit RSV1 set"},
		{"last fragment", first + "\xc0", 7, "1002 reserved bit RSV1 set"},
		{"last fragment of a message without it", "\x01\x80" + zeroKey + "\xc0", 6, "1002 reserved bit RSV1 set"},
		{"close", "\xc8", 0, "1002 reserved bit RSV1 set"},
		{"ping", first + "\xc9", 7, "1002 reserved bit RSV1 set"},
		{"pong", "\xca", 0, "1002 reserved bit RSV1 set"},
		{"opcode 3", "\xc3", 0, "1002 reserved bit RSV1 set"},
		{"RSV2", "\xe1", 0, "1002 reserved bit set"},
		{"RSV3", "\xd2", 0, "1002 reserved bit set"},
		{"new message inside a fragmented one", first + "\xc1", 7, "1002 new message before the end of a fragmented one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			testDeliveries(t, NewGuard(true, -1), test.stream, test.through, test.want)
		})
	}
}
