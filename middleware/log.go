package middleware

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"unicode/utf8"

	"example.com/wsecho/middleware/internal/handshake"
)

// log returns a logger for one line. Connections do not keep one, to save memory.
func (s *shared) log(remote, path string) *slog.Logger {
	return s.Logger.With("remote", cutLogged(remote), "path", cutLogged(path))
}

// maxLogged is the number of bytes that a value from outside may have in a log line. A request can
// have a path of a megabyte.
const maxLogged = 200

// cutLogged returns s, or its first characters and "...", which do not refer to the rest.
func cutLogged(s string) string {
	if len(s) <= maxLogged {
		return s
	}
	end := maxLogged
	for end > maxLogged-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}

// recoverLogger is deferred by everything that logs. A panic of the Logger loses the line: on the
// goroutine of a timer or a detached connection, nobody else would recover it.
func recoverLogger() { _ = recover() }

func (s *shared) logStripped(r *http.Request, err error) {
	defer recoverLogger()
	if s.mayWarn("reason", "stripped headers") {
		s.log(r.RemoteAddr, r.URL.Path).Warn(err.Error())
	}
}

func (s *shared) logRefused(r *http.Request, refused *handshake.Refusal) {
	defer recoverLogger()
	if s.mayWarn("status", refused.Status) {
		s.log(r.RemoteAddr, r.URL.Path).Warn("WebSocket handshake refused",
			"status", refused.Status, "reason", cutLogged(refused.Reason))
	}
}

// mayWarn reports whether a line of the kind may be logged at Warn: the client decides how often
// there is a reason.
func (s *shared) mayWarn(name string, value any) bool {
	return s.warnings.allow(logKind{name, value}, s.logLeftOut)
}

func (s *shared) logLeftOut(kind logKind, count int) {
	defer recoverLogger()
	s.Logger.Warn("WebSocket log lines left out", kind.name, kind.value, "count", count)
}

func (c *Conn) log() *slog.Logger { return c.opts.log(c.remote, c.path) }

func (c *Conn) logBegin() {
	defer recoverLogger()
	if c.opts.Logger.Enabled(c.ctx, slog.LevelDebug) {
		c.log().Debug("WebSocket connected", "subprotocol", cutLogged(c.subprotocol))
	}
}

func (c *Conn) logEnd(info CloseInfo) {
	defer recoverLogger()
	if c.opts.Logger.Enabled(c.ctx, slog.LevelDebug) {
		c.log().Debug("WebSocket closed", "code", info.Code, "reason", cutLogged(info.Reason),
			"duration", info.Duration, "received", info.Received, "sent", info.Sent)
	}
}

func (c *Conn) logFailed(e *CloseError) {
	defer recoverLogger()
	if c.opts.mayWarn("code", e.Code) {
		c.log().Warn("WebSocket connection failed", "code", e.Code, "reason", cutLogged(e.Reason))
	}
}

func (c *Conn) logHandlerError(err error) {
	defer recoverLogger()
	c.log().Error("WebSocket handler failed", "error", cutLogged(fmt.Sprint(err)))
}

func (c *Conn) logPanic(v any) {
	defer recoverLogger()
	stack := string(debug.Stack())
	c.log().Error("WebSocket handler panicked", "panic", cutLogged(fmt.Sprint(v)), "stack", stack)
}
