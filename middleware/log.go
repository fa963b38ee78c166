package middleware

import (
	"log/slog"
	"net/http"
	"runtime/debug"
)

// log is made for every line, of which there are few, to keep idle connections small.
func (o *Options) log(remote, path string) *slog.Logger {
	return o.Logger.With("remote", remote, "path", path)
}

func (o *Options) warnStripped(r *http.Request, missing string) {
	o.log(r.RemoteAddr, r.URL.Path).Warn(strippedReason(missing))
}

func (o *Options) warnRefused(r *http.Request, f *refusal) {
	o.log(r.RemoteAddr, r.URL.Path).Warn("WebSocket handshake refused", "status", f.status, "reason", f.reason)
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

func (c *Conn) logSentAway(e *CloseError) {
	c.log().Warn("WebSocket client sent away", "code", e.Code, "reason", e.Reason)
}

func (c *Conn) logFailure(err error) { c.log().Error("WebSocket handler failed", "error", err) }

func (c *Conn) logPanic(v any) {
	c.log().Error("WebSocket handler panicked", "panic", v, "stack", string(debug.Stack()))
}
