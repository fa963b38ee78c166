package matrix_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"example.com/wsecho/middleware"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"
)

// Every framework, with wsecho in every place, behind every wrapper, has the outcome in grid.
func TestMatrix(t *testing.T) {
	want := parseGrid(t)
	got := results{outcomes: map[key]string{}}
	t.Run("cells", func(t *testing.T) {
		for _, c := range cells() {
			t.Run(c.name(), func(t *testing.T) {
				t.Parallel()
				defer func() { got.set(c.key(), want[c.key()], t.Failed()) }()
				c.test(t, want[c.key()])
			})
		}
	})
	t.Logf("\n%s", formatGrid(got.outcomes))
}

type results struct {
	mu       sync.Mutex
	outcomes map[key]string
}

func (r *results) set(k key, want string, failed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if failed {
		want = "not:" + want
	}
	r.outcomes[k] = want
}

// A cell is one combination.
type cell struct {
	framework framework
	place     string
	wrapper   wrapper
}

func cells() []cell {
	var all []cell
	for _, f := range frameworks() {
		for _, place := range places() {
			for _, w := range wrappers() {
				all = append(all, cell{f, place, w})
			}
		}
	}
	return all
}

func (c cell) key() key { return key{c.framework.name, c.place, c.wrapper.name} }

func (c cell) name() string {
	return c.framework.name + " " + c.place + " " + c.wrapper.name
}

func (c cell) exists() bool {
	inGin := c.framework.name == "gin" && c.place != outermost
	return c.framework.in(c.place) != nil && (c.wrapper.gin == nil || inGin)
}

// handler puts the wrapper into the Use of the framework if it is the framework's own, and
// otherwise around the server.
func (c cell) handler(ws ws, l log) http.Handler {
	build := c.framework.in(c.place)
	switch {
	case c.wrapper.gin != nil:
		return build(ws, ownUse{gin: []gin.HandlerFunc{c.wrapper.gin(l)}})
	case c.wrapper.chi && c.framework.name == "chi/v5" && c.place != outermost:
		return build(ws, ownUse{chi: chi.Middlewares{c.wrapper.std(l)}})
	default:
		return c.wrapper.std(l)(build(ws, ownUse{}))
	}
}

// writer returns the type of the ResponseWriter that wsecho receives.
func (c cell) writer() string {
	if c.place != outermost && c.framework.writer != "" {
		return c.framework.writer
	}
	return c.wrapper.writer
}

func (c cell) test(t *testing.T, want string) {
	if !c.exists() {
		if want != none {
			t.Errorf("there is no such combination, want %q", want)
		}
		return
	}
	for _, detach := range []bool{false, true} {
		t.Run(fmt.Sprintf("detach=%t", detach), func(t *testing.T) {
			wrapped := newLog()
			ws := echo(middleware.Options{Detach: detach})
			s := serve(t, c.handler(ws, wrapped))
			s.wantUsers(t)
			s.wantReturned(t)
			switch want {
			case ok:
				s.wantEcho(t)
			case refused:
				s.wantRefused(t, c.writer())
			default:
				t.Errorf("there is such a combination, want %q", want)
			}
			s.wantReturned(t)
			s.wantQuiet(t)
			c.wantLogged(t, wrapped, want)
		})
	}
}

// wantLogged checks the log after all requests.
func (c cell) wantLogged(t *testing.T, l log, outcome string) {
	t.Helper()
	if c.wrapper.upgraded != "" {
		l.want(t, "200 GET /users")
	}
	if c.wrapper.upgraded != "" && outcome == ok {
		l.want(t, c.wrapper.upgraded)
	}
	l.wantNone(t)
}

// wsecho works outside of every wrapper, even if that hides the connection. The wrapper then sees
// no WebSockets.
func TestOutside(t *testing.T) {
	for _, w := range wrappers() {
		if w.std == nil {
			continue // It is for gin only.
		}
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			wrapped := newLog()
			s := serve(t, echo(middleware.Options{}).Handler(w.std(wrapped)(muxRoutes())))
			s.wantUsers(t)
			s.wantReturned(t)
			s.wantEcho(t)
			s.wantReturned(t)
			s.wantQuiet(t)
			if w.upgraded != "" {
				wrapped.want(t, "200 GET /users")
			}
			wrapped.wantNone(t)
		})
	}
}

// If middleware runs only for routes, a WebSocket needs a route.
func TestGorillaWithoutRoute(t *testing.T) {
	r := mux.NewRouter()
	r.Use(echo(middleware.Options{}).Handler)
	r.HandleFunc("/users", users)
	s := serve(t, r)
	c, resp, err := s.dial()
	if err == nil {
		c.Close()
		t.Fatal("the handshake was accepted")
	}
	if resp == nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("got %v, %v; want 404", resp, err)
	}
	s.wantReturned(t)
	s.wantQuiet(t)
}
