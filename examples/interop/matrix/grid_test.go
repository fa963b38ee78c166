package matrix_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The outcomes of a combination. In all of them, the route of the framework works.
const (
	ok      = "ok"  // the echo works, a logger logs the request, net/http logs no error
	refused = "500" // the handshake is refused, with the writer's type and the remedy
	none    = "–"   // there is no such combination
)

// grid has a row for each framework and place of wsecho, and a column for each wrapper in front;
// frameworks and wrappers say what the names stand for.
const grid = `
                         plain  Logging  Compress  Recovery  gzhttp  otelhttp  httpsnoop  chi.Log  chi.Rec  chi.Gzip  gin.Log  gin.Rec  Timeout  Hijack  Unwrap  hidden
net/http     outermost   ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
net/http     middleware  –      –        –         –         –       –         –          –        –        –         –        –        –        –       –       –
net/http     endpoint    ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
chi/v5       outermost   ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
chi/v5       middleware  ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
chi/v5       endpoint    ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
gorilla/mux  outermost   ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
gorilla/mux  middleware  ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
gorilla/mux  endpoint    ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
gin          outermost   ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
gin          middleware  ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        ok       ok       500      ok      ok      500
gin          endpoint    ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        ok       ok       500      ok      ok      500
echo/v4      outermost   ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
echo/v4      middleware  ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
echo/v4      endpoint    ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
echo/v5      outermost   ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
echo/v5      middleware  ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
echo/v5      endpoint    ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
negroni/v1   outermost   ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
negroni/v1   middleware  ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      500     500
negroni/v1   endpoint    ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      500     500
negroni/v3   outermost   ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
negroni/v3   middleware  ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
negroni/v3   endpoint    ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
httprouter   outermost   ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
httprouter   middleware  –      –        –         –         –       –         –          –        –        –         –        –        –        –       –       –
httprouter   endpoint    ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
alice        outermost   ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
alice        middleware  ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
alice        endpoint    ok     ok       ok        ok        ok      ok        ok         ok       ok       ok        –        –        500      ok      ok      500
`

// A reason says why the cells with that outcome, in the rows and the column that it names, are not
// ok. An empty name matches all.
type reason struct {
	outcome                   string
	framework, place, wrapper string
	because                   string
}

func reasons() []reason {
	const (
		noMiddleware = "it has no middleware of its own: see outermost"
		onlyGin      = "it works only in the Use of gin"
		hidden       = "it hides the connection: wsecho goes outside of it, see TestOutside"
	)
	return []reason{
		{none, "net/http", asMiddleware, "", noMiddleware},
		{none, "httprouter", asMiddleware, "", noMiddleware},
		{none, "", "", "gin.Log", onlyGin},
		{none, "", "", "gin.Rec", onlyGin},
		{refused, "", "", "Timeout", hidden},
		{refused, "", "", "hidden", hidden},
		{refused, "negroni/v1", "", "Unwrap", "its writer requires an inner Hijack, and has no Unwrap"},
	}
}

func (r reason) explains(k key, outcome string) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	return outcome == r.outcome &&
		is(r.framework, k.framework) && is(r.place, k.place) && is(r.wrapper, k.wrapper)
}

// Every cell that is not ok has a reason, and every reason explains a cell.
func TestReasons(t *testing.T) {
	outcomes := parseGrid(t)
	used := map[reason]bool{}
	for k, outcome := range outcomes {
		i := slices.IndexFunc(reasons(), func(r reason) bool { return r.explains(k, outcome) })
		if i >= 0 {
			used[reasons()[i]] = true
		} else if outcome != ok {
			t.Errorf("%v: no reason for %q", k, outcome)
		}
	}
	for _, r := range reasons() {
		if !used[r] {
			t.Errorf("%+v: explains no cell", r)
		}
	}
}

// key names a cell of the grid.
type key struct{ framework, place, wrapper string }

func parseGrid(t *testing.T) map[key]string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(grid), "\n")
	columns := strings.Fields(lines[0])
	outcomes := map[key]string{}
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		if len(fields) != 2+len(columns) {
			t.Fatalf("%q: want two names and %d outcomes", line, len(columns))
		}
		for i, w := range columns {
			outcomes[key{fields[0], fields[1], w}] = fields[2+i]
		}
	}
	if n := len(cells()); len(outcomes) != n {
		t.Fatalf("the grid has %d cells, want %d", len(outcomes), n)
	}
	return outcomes
}

// formatGrid is the reverse of parseGrid.
func formatGrid(outcomes map[key]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-11s  %-10s", "", "")
	for _, w := range wrappers() {
		fmt.Fprintf(&b, "  %s", w.name)
	}
	for _, c := range cells() {
		if c.wrapper.name == "plain" {
			fmt.Fprintf(&b, "\n%-11s  %-10s", c.framework.name, c.place)
		}
		fmt.Fprintf(&b, "  %-*s", len(c.wrapper.name), outcomes[c.key()])
	}
	return b.String()
}
