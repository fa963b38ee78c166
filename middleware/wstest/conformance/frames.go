package conformance

import "example.com/wsecho/middleware/wstest"

// frame, text and closing are frames of the client.
func frame(first byte, payload string) string {
	return wstest.Frame{First: first, Payload: payload}.Masked()
}

func text(payload string) string { return wstest.Text(payload).Masked() }

func closing(code uint16, reason string) string { return wstest.Close(code, reason).Masked() }

// masked is the end of a frame of the client, from the key on.
func masked(payload string) string {
	f := frame(0, payload)
	return f[len(f)-len(payload)-4:]
}

// reply and closeReply are frames of the server.
func reply(first byte, payload string) string {
	return wstest.Frame{First: first, Payload: payload}.Unmasked()
}

func closeReply(code uint16, reason string) string { return wstest.Close(code, reason).Unmasked() }
