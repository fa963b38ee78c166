package http2_test

import "example.com/wsecho/middleware/wstest"

// frame is a frame of the client, reply one of the server.
func frame(first byte, payload string) string {
	return wstest.Frame{First: first, Payload: payload}.Masked()
}

func text(payload string) string                   { return wstest.Text(payload).Masked() }
func closing(code uint16, reason string) string    { return wstest.Close(code, reason).Masked() }
func closeReply(code uint16, reason string) string { return wstest.Close(code, reason).Unmasked() }

func reply(first byte, payload string) string {
	return wstest.Frame{First: first, Payload: payload}.Unmasked()
}

const (
	hello     = "\x81\x85\x01\x02\x03\x04igohn" // "hello"
	helloBack = "\x81\x05hello"
	bye       = "\x88\x82\x01\x02\x03\x04\x02\xea" // 1000
	byeBack   = "\x88\x02\x03\xe8"
)
