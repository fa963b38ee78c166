package wsgin_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"testing"

	wsgin "example.com/wsecho/adapters/gin"
	"example.com/wsecho/adapters/internal/adaptertest"
	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
	"github.com/gin-gonic/gin"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode) // prints nothing
	wstest.Main(m)
}

// site is a running gin server and its log, in a bubble.
type site struct {
	*wstest.Server

	engine *gin.Engine
	log    adaptertest.Log
}

// newSite serves an engine with logger, recovery, ws, and the route /users. What the engine, the
// recovery, the routes and http.Server have to say, they log in one place; http.Server complains
// above all about writes to a hijacked connection.
func newSite(t *testing.T, ws gin.HandlerFunc) *site {
	t.Helper()
	s := &site{engine: gin.New(), log: adaptertest.NewLog()}
	s.engine.Use(
		gin.LoggerWithConfig(gin.LoggerConfig{Output: s.log, Formatter: formatLine}),
		gin.CustomRecoveryWithWriter(nil, func(c *gin.Context, p any) {
			_, _ = fmt.Fprint(s.log, "panic ", p)
			c.AbortWithStatus(http.StatusInternalServerError)
		}),
		ws,
	)
	s.engine.GET("/users", s.respond)
	s.Server = wstest.NewServer(t, s.engine)
	s.Config.ErrorLog = log.New(s.log, "http.Server: ", 0)
	return s
}

func formatLine(p gin.LogFormatterParams) string {
	return fmt.Sprintf("%d %s %s", p.StatusCode, p.Method, p.Path)
}

func (s *site) respond(c *gin.Context) {
	_, _ = fmt.Fprint(s.log, "route for ", c.Request.URL.Path)
	c.String(http.StatusOK, "response")
}

// adapter returns the handler under test, which logs nothing.
func adapter(opts middleware.Options) gin.HandlerFunc {
	opts.Logger = slog.New(slog.DiscardHandler)
	return wsgin.New(middleware.New(opts))
}
