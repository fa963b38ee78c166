package wsgin_test

import (
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"

	wsgin "example.com/wsecho/adapters/gin"
	"example.com/wsecho/middleware"
	"example.com/wsecho/middleware/wstest"
	"github.com/gin-gonic/gin"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode) // prints nothing
	wstest.Main(m)
}

// lines is a writer that sends what is written to a channel.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// site is a running gin server and its log, in a bubble.
type site struct {
	*wstest.Server

	engine *gin.Engine
	log    lines
}

// newSite serves an engine with logger, recovery, ws, and the route /users. What the engine, the
// recovery, the routes and http.Server have to say, they log in one place; http.Server complains
// above all about writes to a hijacked connection.
func newSite(t *testing.T, ws gin.HandlerFunc) *site {
	t.Helper()
	s := &site{engine: gin.New(), log: make(lines, 16)}
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

// wantLog wants all that has been logged since the last call.
func (s *site) wantLog(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	var got []string
	for len(s.log) > 0 {
		got = append(got, <-s.log)
	}
	if !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
}

// adapter returns the handler under test, which logs nothing.
func adapter(opts middleware.Options) gin.HandlerFunc {
	opts.Logger = slog.New(slog.DiscardHandler)
	return wsgin.New(middleware.New(opts))
}

// wantGet wants a response to a GET.
func (s *site) wantGet(t *testing.T, path string, status int, body string) {
	t.Helper()
	resp, err := s.Client().Get("http://example.com" + path)
	if err != nil {
		t.Fatal(err)
	}
	wantResponse(t, resp, status, body)
}

func wantResponse(t *testing.T, resp *http.Response, status int, body string) {
	t.Helper()
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if resp.StatusCode != status || string(got) != body || err != nil {
		t.Errorf("got %d %q, %v; want %d %q", resp.StatusCode, got, err, status, body)
	}
}

func wantEcho(c *wstest.Client) {
	c.Send(wstest.Text("Hello from the client"))
	c.Want(wstest.Text("Hello from the server! You sent: Hello from the client"))
}

// endConn performs the closing handshake.
func endConn(c *wstest.Client) {
	c.Send(wstest.Close(1000, ""))
	c.Want(wstest.Close(1000, ""))
	c.WantEnd()
	_ = c.Conn().Close()
}
