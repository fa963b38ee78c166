package frame

import (
	"strings"
	"testing"
)

func TestOpcode(t *testing.T) {
	for first, want := range map[byte]byte{
		0x00: Continuation, 0x80: Continuation, 0x81: Text, 0xc1: Text, 0x02: Binary, 0x88: Close,
		0x89: Ping, 0x8a: Pong, 0xff: 0xf,
	} {
		if got := Opcode(first); got != want {
			t.Errorf("Opcode(%#x) = %d, want %d", first, got, want)
		}
	}
}

func TestParseControl(t *testing.T) {
	const hello = "\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58" // "Hello", masked (RFC 6455 §5.7)
	for _, test := range []struct {
		name, bytes string
		opcode      byte
		payload     string
		size        int
	}{
		{"nothing", "", 0, "", 0},
		{"first byte", "\x89", 0, "", 0},
		{"header without a byte of the key", "\x89\x80\x01\x02\x03", 0, "", 0},
		{"header alone", hello[:6], 0, "", 0},
		{"one byte missing", hello[:10], 0, "", 0},
		{"text", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 0, "", 0},
		{"binary", "\x82\x80\x01\x02\x03\x04", 0, "", 0},
		{"continuation", "\x80\x80\x01\x02\x03\x04", 0, "", 0},
		{"ping", hello, Ping, "Hello", 11},
		{"ping with a frame behind", hello + "\x81\x80\x01\x02\x03\x04", Ping, "Hello", 11},
		{"empty ping", "\x89\x80\x01\x02\x03\x04", Ping, "", 6},
		{"pong", "\x8a\x83\x01\x02\x03\x04\x60\x60\x60", Pong, "abc", 9},
		{"close", "\x88\x82\x01\x02\x03\x04\x02\xea", Close, "\x03\xe8", 8},
		{"largest", "\x89\xfd\x20\x20\x20\x20" + strings.Repeat("P", 125), Ping, strings.Repeat("p", 125), 131},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := []byte(test.bytes)
			opcode, payload, size := ParseControl(p)
			if opcode != test.opcode || string(payload) != test.payload || size != test.size {
				t.Errorf("got %d %q %d, want %d %q %d",
					opcode, payload, size, test.opcode, test.payload, test.size)
			}
			if size > 0 && string(p[6:size]) != test.payload {
				t.Errorf("not unmasked in place: %q", p[6:size])
			}
			if string(p[size:]) != test.bytes[size:] {
				t.Errorf("bytes behind it changed to %q", p[size:])
			}
		})
	}
}

func TestParseHeader(t *testing.T) {
	for _, test := range []struct {
		name, bytes string
		header      int
		size        uint64
	}{
		{"empty", "\x81\x00", 2, 2},
		{"with a payload", "\x81\x05hello", 2, 7},
		{"without its payload", "\x82\x7d", 2, 127},
		{"RSV1", "\xc1\x01a", 2, 3},
		{"control", "\x89\x03abc", 2, 5},
		{"more behind it", "\x80\x00\x81\x05", 2, 2},
		{"16 bits", "\x82\x7e\x00\x7e", 4, 130},
		{"16 bits, largest", "\x82\x7e\xff\xff", 4, 65539},
		{"64 bits", "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10, 65546},
		{"64 bits, each", "\x82\x7f\x01\x02\x03\x04\x05\x06\x07\x08", 10, 0x0102030405060708 + 10},
		{"64 bits, largest", "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", MaxHeader, 1<<63 - 1 + 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			header, size := ParseHeader([]byte(test.bytes))
			if header != test.header || size != test.size {
				t.Errorf("got %d, %d, want %d, %d", header, size, test.header, test.size)
			}
		})
	}
}

func TestControl(t *testing.T) {
	for _, test := range []struct {
		opcode  byte
		payload string
		want    string
	}{
		{Ping, "", "\x89\x00"},
		{Ping, "abc", "\x89\x03abc"},
		{Pong, "p", "\x8a\x01p"},
		{Close, "", "\x88\x00"},
		{Close, "\x03\xe8bye", "\x88\x05\x03\xe8bye"},
		{Pong, strings.Repeat("p", 125), "\x8a\x7d" + strings.Repeat("p", 125)},
	} {
		if got := Control(test.opcode, []byte(test.payload)); string(got) != test.want {
			t.Errorf("opcode %d: got %q, want %q", test.opcode, got, test.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&Violation{Code: 1002, Reason: "unmasked frame"}, `frame: violation: 1002 "unmasked frame"`},
		{TooBig(10), `frame: violation: 1009 "message larger than 10 bytes"`},
		{&CloseReceived{Code: 1000, Reason: "bye"}, `frame: close frame received: 1000 "bye"`},
		{&CloseReceived{Code: 1005}, `frame: close frame received: 1005 ""`},
		{&CloseReceived{Code: 4000, Reason: "a\nb"}, `frame: close frame received: 4000 "a\nb"`},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
