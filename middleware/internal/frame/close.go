package frame

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Close codes (RFC 6455 §7.4.1).
const (
	NormalClosure     = 1000
	GoingAway         = 1001
	ProtocolError     = 1002
	UnsupportedData   = 1003
	NoStatusReceived  = 1005 // never sent: the close frame had no code
	AbnormalClosure   = 1006 // never sent: there was no close frame
	InvalidPayload    = 1007
	PolicyViolation   = 1008
	MessageTooBig     = 1009
	InternalServerErr = 1011
	badGateway        = 1014 // the last one in the IANA registry of close codes
)

// IsCloseCode reports whether code may stand in a close frame (RFC 6455 §7.4 and the IANA registry
// of close codes).
func IsCloseCode(code int) bool {
	switch {
	case code >= NormalClosure && code <= UnsupportedData,
		code >= InvalidPayload && code <= badGateway:
		return true
	}
	return code >= 3000 && code <= 4999
}

// CloseReceived is the error for the client's close frame, which ends its frames.
type CloseReceived struct {
	Code   int // NoStatusReceived if there was none
	Reason string
}

// Error returns code and reason in one line.
func (c *CloseReceived) Error() string {
	return fmt.Sprintf("frame: close frame received: %d %q", c.Code, c.Reason)
}

// ClosePayload returns the payload of a close frame (RFC 6455 §5.5.1). It is empty for
// NoStatusReceived. Invalid UTF-8 in the reason is replaced, and a reason that does not fit is
// truncated between two characters.
func ClosePayload(code int, reason string) []byte {
	if code == NoStatusReceived {
		return nil
	}
	payload := binary.BigEndian.AppendUint16(make([]byte, 0, MaxControlPayload), uint16(code))
	reason = strings.ToValidUTF8(reason, string(utf8.RuneError))
	end := min(len(reason), MaxControlPayload-len(payload))
	for end < len(reason) && !utf8.RuneStart(reason[end]) {
		end--
	}
	return append(payload, reason[:end]...)
}

// parseClose parses the payload of a close frame, and returns a [*CloseReceived] or a [*Violation].
// The payload has at least two bytes or none.
func parseClose(payload []byte) error {
	if len(payload) == 0 {
		return &CloseReceived{Code: NoStatusReceived}
	}
	code := int(binary.BigEndian.Uint16(payload))
	if !IsCloseCode(code) {
		return protocolError("close code %d", code)
	}
	reason := payload[2:]
	if !utf8.Valid(reason) {
		return violation(InvalidPayload, "close reason is not UTF-8")
	}
	return &CloseReceived{Code: code, Reason: string(reason)}
}
