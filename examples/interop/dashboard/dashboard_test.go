// Package dashboard_test checks the Grafana dashboard and the alert rules of adapters/prometheus
// against the exported metrics, and their queries with Prometheus's parser.
package dashboard_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// dashboard is the tested part of Grafana's dashboard JSON.
type dashboard struct {
	ID            *int
	UID           string
	Title         string
	SchemaVersion int
	Templating    struct{ List []variable }
	Panels        []panel
}

type variable struct {
	Name, Type string
	Datasource datasource
	Query      json.RawMessage // a string or an object
}

type panel struct {
	ID          int
	Type, Title string
	Description string
	GridPos     rectangle
	Datasource  datasource
	Targets     []target
	FieldConfig struct{ Defaults struct{ Unit string } }
}

type rectangle struct{ X, Y, W, H int }

type datasource struct{ Type, UID string }

type target struct {
	RefID, Expr string
	Datasource  datasource
}

// chosen is the data source that the user picks.
var chosen = datasource{Type: "prometheus", UID: "${datasource}"}

func load(t *testing.T) *dashboard {
	t.Helper()
	b, err := os.ReadFile("../../../adapters/prometheus/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// The version is that of Grafana 12 and 13. An id is valid in one Grafana instance only.
func TestHead(t *testing.T) {
	d := load(t)
	if d.ID != nil || d.UID != "websocket-endpoints" || d.Title != "WebSocket endpoints" {
		t.Errorf("got id %v, uid %q, title %q", d.ID, d.UID, d.Title)
	}
	if d.SchemaVersion != 42 {
		t.Errorf("got schema version %d, want 42", d.SchemaVersion)
	}
}

func TestVariables(t *testing.T) {
	d := load(t)
	var names []string
	for _, v := range d.Templating.List {
		names = append(names, v.Name)
		if v.Type == "query" && v.Datasource != chosen {
			t.Errorf("%s queries %v, want %v", v.Name, v.Datasource, chosen)
		}
	}
	if want := []string{"datasource", "job", "instance", "endpoint"}; !slices.Equal(names, want) {
		t.Fatalf("got variables %q, want %q", names, want)
	}
	source := d.Templating.List[0]
	if source.Type != "datasource" || string(source.Query) != `"prometheus"` {
		t.Errorf("got a data source of type %q, query %s", source.Type, source.Query)
	}
}

func TestPanels(t *testing.T) {
	ids := map[int]bool{}
	for _, p := range load(t).Panels {
		if p.ID <= 0 || ids[p.ID] {
			t.Errorf("%q: id %d: must be positive and unique", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Type != "timeseries" || p.Title == "" || p.Description == "" {
			t.Errorf("panel %d: type %q, title %q, description %q",
				p.ID, p.Type, p.Title, p.Description)
		}
		if p.Datasource != chosen {
			t.Errorf("%q queries %v, want %v", p.Title, p.Datasource, chosen)
		}
		if p.FieldConfig.Defaults.Unit == "" {
			t.Errorf("%q has no unit", p.Title)
		}
		checkTargets(t, p)
	}
	if len(ids) != 10 {
		t.Errorf("%d panels, want 10", len(ids))
	}
}

func checkTargets(t *testing.T, p panel) {
	t.Helper()
	refs := map[string]bool{}
	for _, target := range p.Targets {
		if target.RefID == "" || refs[target.RefID] {
			t.Errorf("%q: refId %q: must be unique", p.Title, target.RefID)
		}
		refs[target.RefID] = true
		if target.Datasource != chosen {
			t.Errorf("%q, %s queries %v, want %v", p.Title, target.RefID, target.Datasource, chosen)
		}
	}
	if len(refs) == 0 {
		t.Errorf("%q has no queries", p.Title)
	}
}

// Grafana's grid is 24 columns wide.
func TestGrid(t *testing.T) {
	taken := map[[2]int]string{}
	for _, p := range load(t).Panels {
		g := p.GridPos
		if g.X < 0 || g.Y < 0 || g.W <= 0 || g.H <= 0 || g.X+g.W > 24 {
			t.Errorf("%q is at %+v", p.Title, g)
		}
		for cell := range g.W * g.H {
			at := [2]int{g.X + cell%g.W, g.Y + cell/g.W}
			if other, ok := taken[at]; ok {
				t.Fatalf("%q overlaps %q at %v", p.Title, other, at)
			}
			taken[at] = p.Title
		}
	}
}
