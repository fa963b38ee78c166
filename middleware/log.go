package middleware

import (
	"log/slog"
	"net/http"
	"runtime/debug"

	"example.com/wsecho/middleware/internal/handshake"
)

// log returns a logger for one line. Connections do not keep one, to save memory.
func (o *Options) log(remote, path string) *slog.Logger {
	return o.Logger.With("remote", remote, "path", path)
}

func (o *Options) logStripped(r *http.Request, err error) {
	o.log(r.RemoteAddr, r.URL.Path).Warn(err.Error())
}

func (o *Options) logRefused(r *http.Request, refused *handshake.Refusal) {
	o.log(r.RemoteAddr, r.URL.Path).Warn("WebSocket handshake refused",
		"status", refused.Status, "reason", refused.Reason)
}

func (c *Conn) log() *slog.Logger { return c.opts.log(c.remote, c.path) }

func (c *Conn) logBegin() {
	if c.opts.Logger.Enabled(c.ctx, slog.LevelDebug) {
		c.log().Debug("WebSocket connected", "subprotocol", c.subprotocol)
	}
}

func (c *Conn) logEnd(info CloseInfo) {
	if c.opts.Logger.Enabled(c.ctx, slog.LevelDebug) {
		c.log().Debug("WebSocket closed", "code", info.Code, "reason", info.Reason,
			"duration", info.Duration, "received", info.Received, "sent", info.Sent)
	}
}

func (c *Conn) logFailed(e *CloseError) {
	c.log().Warn("WebSocket connection failed", "code", e.Code, "reason", e.Reason)
}

func (c *Conn) logHandlerError(err error) {
	c.log().Error("WebSocket handler failed", "error", err)
}

func (c *Conn) logPanic(v any) {
	c.log().Error("WebSocket handler panicked", "panic", v, "stack", string(debug.Stack()))
}
