package middleware

import (
	"errors"
	"io"
	"net"
	"syscall"
	"time"

	"example.com/wsecho/middleware/internal/closing"
	"example.com/wsecho/middleware/internal/frame"
)

// CloseInfo describes how a connection has ended.
type CloseInfo struct {
	// Code and Reason are those of the first close frame (RFC 6455 §7.1.5), which is the client's
	// if ByClient is true. Without a close frame the code is 1006. A client may send any reason.
	Code     int
	Reason   string
	ByClient bool

	// Duration is the lifetime of the connection, including the closing handshake.
	Duration time.Duration

	// Received and Sent are the payload bytes of all messages, uncompressed.
	Received, Sent int64

	// Err is nil after an orderly close. Otherwise it is the error or panic of a handler or hook
	// that closed with 1011, a protocol error of the client, or an error of the network. If the
	// network failed after a handler or hook did, it wraps both.
	Err error
}

// Cause says what has ended the connection, in one of few words, as for the label of a metric:
//
//   - client: the client's close frame
//   - server: our close frame, and neither close timeout nor cut
//   - close timeout: our close frame, not answered within the CloseTimeout
//   - write timeout: the client did not take what was sent within the WriteTimeout
//   - end of stream: the client has ended the stream without a close frame
//   - reset: the client or the network has reset the connection
//   - cut: the context of [Middleware.Shutdown] was done
//   - network: any other error of the network
func (i CloseInfo) Cause() string {
	switch {
	case errors.Is(i.Err, errCut):
		return "cut"
	case errors.Is(i.Err, closing.ErrTimeout):
		return "close timeout"
	case i.ByClient:
		return "client"
	case i.Code != frame.AbnormalClosure:
		return "server"
	}
	return networkCause(i.Err)
}

func networkCause(err error) string {
	var netErr net.Error
	switch {
	case errors.Is(err, syscall.ETIMEDOUT): // TCP has given up.
		return "network"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "end of stream"
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.As(err, &netErr) && netErr.Timeout():
		return "write timeout"
	}
	return "network"
}

// closeInfo returns code and reason of the first close frame, and the error that it was sent for.
func (c *Conn) closeInfo() CloseInfo {
	first, byClient := c.closing.First()
	if e, ok := first.(*CloseError); ok {
		return CloseInfo{Code: e.Code, Reason: e.Reason, ByClient: byClient, Err: e.err}
	}
	return CloseInfo{Code: frame.AbnormalClosure}
}
