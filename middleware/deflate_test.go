package middleware_test

import (
	"bytes"
	"compress/flate"
	"io"
	"strings"
	"testing"

	"example.com/wsecho/middleware"
)

const offerDeflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n"

// helloDeflated is "Hello" as in RFC 7692 §7.2.3.1.
const helloDeflated = "\xf2\x48\xcd\xc9\xc9\x07\x00"

// deflated is payload compressed by another compressor setting than the server's.
func deflated(payload string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = io.WriteString(w, payload)
	_ = w.Flush()
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
}

func inflated(t *testing.T, payload string) string {
	t.Helper()
	b, err := io.ReadAll(flate.NewReader(strings.NewReader(payload + "\x00\x00\xff\xff\x01\x00\x00\xff\xff")))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fragments is the payload in frames of one byte.
func fragments(first byte, payload string) string {
	s := frame(first, payload[:1])
	for _, b := range []byte(payload[1:]) {
		s += frame(0x00, string([]byte{b}))
	}
	return s + frame(0x80, "")
}

// deflateCases are what RFC 7692 demands; replies of this size are not compressed.
func deflateCases() []conformanceCase {
	const rsvText = finBit | rsv1Bit | textOp
	bye, byeBack := closing(1000, ""), closeReply(1000, "")
	bomb := deflated(strings.Repeat("\x00", 1<<20+1))
	violation := func(name, bytes string, code uint16, reason string) conformanceCase {
		return conformanceCase{
			name, frame(rsvText, helloDeflated) + bytes + text("after"),
			reply(0x81, "Hello") + closeReply(code, reason),
		}
	}
	return []conformanceCase{
		{"7.2.3.1 one block", frame(rsvText, helloDeflated) + bye, reply(0x81, "Hello") + byeBack},
		{"7.2.3.1 fragmented", frame(rsv1Bit|textOp, "\xf2\x48\xcd") + frame(0x80, "\xc9\xc9\x07\x00") + bye, reply(0x81, "Hello") + byeBack},
		{"7.2.3.1 ping between fragments", frame(rsv1Bit|textOp, "\xf2\x48\xcd") + frame(0x89, "p") + frame(0x80, "\xc9\xc9\x07\x00") + bye, reply(0x8a, "p") + reply(0x81, "Hello") + byeBack},
		{"7.2.3.3 stored block", frame(rsvText, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00") + bye, reply(0x81, "Hello") + byeBack},
		{"7.2.3.4 final block", frame(rsvText, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00") + bye, reply(0x81, "Hello") + byeBack},
		{"7.2.3.4 final block, nothing behind", frame(rsvText, "\xf3\x48\xcd\xc9\xc9\x07\x00") + bye, reply(0x81, "Hello") + byeBack},
		{"7.2.1 data behind a final block", frame(rsvText, "\xf3\x48\xcd\xc9\xc9\x07\x00"+helloDeflated) + bye, reply(0x81, "HelloHello") + byeBack},
		{"7.2.3.5 two blocks", frame(rsvText, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00") + bye, reply(0x81, "Hello") + byeBack},
		{"7.2.3.6 empty", frame(rsvText, "\x00") + bye, reply(0x81, "") + byeBack},
		{"6.1 some compressed, some not", text("a") + frame(rsvText, helloDeflated) + text("b") + frame(rsvText, helloDeflated) + bye, reply(0x81, "a") + reply(0x81, "Hello") + reply(0x81, "b") + reply(0x81, "Hello") + byeBack},
		{"binary", frame(finBit|rsv1Bit|binOp, helloDeflated) + bye, reply(0x82, "Hello") + byeBack},
		violation("6.1 RSV1 on a continuation", frame(rsv1Bit|textOp, "\xf2\x48\xcd")+frame(0x80|rsv1Bit, "\xc9\xc9\x07\x00"), 1002, "reserved bit RSV1 set"),
		violation("6.1 RSV1 on a ping", frame(0x80|rsv1Bit|pingOp, ""), 1002, "reserved bit RSV1 set"),
		violation("6.1 RSV1 on a close", frame(0x80|rsv1Bit|closeOp, ""), 1002, "reserved bit RSV1 set"),
		violation("6.1 RSV2", frame(0x80|rsv2Bit|textOp, helloDeflated), 1002, "reserved bit set"),
		violation("7.2.2 reserved block type", frame(rsvText, "\xff\xff\xff"), 1007, "invalid DEFLATE data"),
		violation("7.2.2 match before the beginning", frame(rsvText, "\x4a\x04\xc2\x00"), 1007, "invalid DEFLATE data"),
		violation("7.2.2 nothing at all", frame(rsvText, ""), 1007, "invalid DEFLATE data"),
		violation("7.2.2 cut off", frame(rsvText, "\xf2\x48\xcd"), 1007, "invalid DEFLATE data"),
		violation("7.2.2 garbage behind a final block", frame(rsvText, "\xf3\x48\xcd\xc9\xc9\x07\x00\xff\xff\xff"), 1007, "invalid DEFLATE data"),
		violation("8.1 not UTF-8", frame(rsvText, deflated("a\xff")), 1007, "text is not UTF-8"),
		violation("8.1 ends within a character", frame(rsvText, deflated("\xf0\x9f")), 1007, "text is not UTF-8"),
		violation("8.1 before the end of the message", frame(rsv1Bit|textOp, deflated("a\xff")), 1007, "text is not UTF-8"),
		{"8.1 before the end of the frame", "\xc1\xfe\x01\x00" + masked(deflated("a\xff")), closeReply(1007, "text is not UTF-8")},
		violation("8.1 behind a final block", frame(rsv1Bit|textOp, "\xf3\x48\xcd\xc9\xc9\x07\x00")+frame(0x00, deflated("a\xff")), 1007, "text is not UTF-8"),
		{"8.1 text cut anywhere", fragments(rsv1Bit|textOp, deflated("grüße, 世界 🌍")) + bye, reply(0x81, "grüße, 世界 🌍") + byeBack},
		{"1024 final blocks", frame(rsvText, strings.Repeat("\x03\x00", 1024)+helloDeflated) + bye, reply(0x81, "Hello") + byeBack},
		violation("1025 final blocks", frame(rsvText, strings.Repeat("\x03\x00", 1025)+helloDeflated), 1008, "more than 1024 final DEFLATE blocks in one message"),
		violation("1025 final blocks in fragments", frame(rsv1Bit|textOp, strings.Repeat("\x03\x00", 1000))+frame(0x80, strings.Repeat("\x03\x00", 25)+"\x00"), 1008, "more than 1024 final DEFLATE blocks in one message"),
		violation("bomb", frame(finBit|rsv1Bit|binOp, bomb), 1009, "message larger than 1048576 bytes"),
		violation("uncompressed too large", header(0x82, 1<<20+1), 1009, "message larger than 1048576 bytes"),
		violation("compressed of 2^62 bytes", "\xc2\xff\x40\x00\x00\x00\x00\x00\x00\x00", 1009, "message larger than 1048576 bytes"),
	}
}

func TestDeflateConformance(t *testing.T) {
	s := serve(t, middleware.Options{Handler: middleware.Batched(plainEcho()), Compression: true})
	for _, c := range deflateCases() {
		t.Run(c.name, func(t *testing.T) { c.run(t, s, offerDeflate) })
	}
	// Messages that are not compressed are what they were without the extension, but for RSV1 and
	// for large replies.
	for _, c := range protocolCases() {
		if c.name != "5.2 RSV1" && len(c.want) < 256 {
			t.Run(c.name, func(t *testing.T) { c.run(t, s, offerDeflate) })
		}
	}
}

// Replies from 256 bytes on travel compressed, in one frame, within the window agreed on.
func TestDeflateReplies(t *testing.T) {
	s := serve(t, middleware.Options{Handler: plainEcho(), Compression: true})
	noise := noise(4096)
	for _, test := range []struct {
		name, offer, payload string
		compressed           bool
	}{
		{"255 bytes", "permessage-deflate", strings.Repeat("x", 255), false},
		{"256 bytes", "permessage-deflate", strings.Repeat("x", 256), true},
		{"1 MiB", "permessage-deflate", strings.Repeat("x", 1<<20), true},
		{"large when compressed", "permessage-deflate", strings.Repeat(noise, 20), true},
		{"incompressible", "permessage-deflate", noise, false},
		{"within the window", "permessage-deflate; server_max_window_bits=8", strings.Repeat("x", 256), true},
		{"beyond the window", "permessage-deflate; server_max_window_bits=8", strings.Repeat("x", 257), false},
		{"the largest window", "permessage-deflate; server_max_window_bits=15", strings.Repeat("x", 1<<15), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := connect(t, s, "Sec-WebSocket-Extensions: "+test.offer+"\r\n")
			c.send(frame(finBit|binOp, test.payload))
			first, payload := c.frame()
			want := byte(finBit | binOp)
			if test.compressed {
				want |= rsv1Bit
			}
			if first != want {
				t.Fatalf("first byte %#x, want %#x", first, want)
			}
			if test.compressed {
				payload = inflated(t, payload)
			}
			if payload != test.payload {
				t.Errorf("got %s", shorten([]byte(payload)))
			}
			c.send(text("next"))
			c.want(reply(0x81, "next"))
		})
	}
}
