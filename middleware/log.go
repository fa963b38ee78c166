package middleware

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"example.com/wsecho/middleware/internal/frame"
	"example.com/wsecho/middleware/internal/handshake"
	"example.com/wsecho/middleware/internal/logging"
)

// log returns a logger for one line about a handshake.
func (s *shared) log(r *http.Request) *slog.Logger {
	return s.Logger.With("remote", logging.Cut(r.RemoteAddr), "path", logging.Cut(r.URL.Path))
}

func (s *shared) logStripped(r *http.Request, err error) {
	defer logging.Recover()
	if s.mayWarn("reason", "stripped headers") {
		s.log(r).Warn(err.Error())
	}
}

func (s *shared) logRefused(r *http.Request, refused *handshake.Refusal) {
	defer logging.Recover()
	if s.mayWarn("status", refused.Status) {
		s.log(r).Warn("WebSocket handshake refused",
			"status", refused.Status, "reason", logging.Cut(refused.Reason))
	}
}

// mayWarn limits the lines that clients cause.
func (s *shared) mayWarn(name string, value any) bool {
	return s.warnings.Allow(s.Logger, name, value)
}

// log returns a logger for one line. Connections do not keep one, to save memory.
func (c *Conn) log() *slog.Logger {
	return c.opts.Logger.With("remote", c.remote, "path", c.path)
}

func (c *Conn) logBegin() {
	defer logging.Recover()
	if c.opts.Logger.Enabled(c.ctx, slog.LevelDebug) {
		c.log().Debug("WebSocket connected", "subprotocol", logging.Cut(c.subprotocol))
	}
}

func (c *Conn) logEnd(info CloseInfo) {
	defer logging.Recover()
	if c.opts.Logger.Enabled(c.ctx, slog.LevelDebug) {
		c.log().Debug("WebSocket closed", "code", info.Code, "reason", logging.Cut(info.Reason),
			"cause", info.Cause(), "duration", info.Duration, "received", info.Received, "sent", info.Sent)
	}
}

func (c *Conn) logFailed(e *CloseError) {
	defer logging.Recover()
	if c.opts.mayWarn("code", e.Code) {
		c.log().Warn("WebSocket connection failed", "code", e.Code, "reason", logging.Cut(e.Reason))
	}
}

func (c *Conn) logHandlerError(err error) {
	defer logging.Recover()
	if c.opts.mayWarn("code", frame.InternalServerErr) {
		c.log().Warn("WebSocket handler failed", "code", frame.InternalServerErr,
			"error", logging.Cut(fmt.Sprint(err)))
	}
}

func (c *Conn) logPanic(v any) {
	defer logging.Recover()
	stack := string(debug.Stack())
	c.log().Error("WebSocket handler panicked", "panic", logging.Cut(fmt.Sprint(v)), "stack", stack)
}
