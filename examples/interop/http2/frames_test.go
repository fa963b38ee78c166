package http2_test

import "example.com/wsecho/internal/conformance"

// frame is a client's frame, reply a server's.
var (
	frame      = conformance.Frame
	text       = conformance.Text
	closing    = conformance.Closing
	reply      = conformance.Reply
	closeReply = conformance.CloseReply
)

const (
	hello     = "\x81\x85\x01\x02\x03\x04igohn" // "hello"
	helloBack = "\x81\x05hello"
	bye       = "\x88\x82\x01\x02\x03\x04\x02\xea" // 1000
	byeBack   = "\x88\x02\x03\xe8"
)
