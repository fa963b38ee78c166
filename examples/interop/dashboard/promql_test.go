package dashboard_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	wsprometheus "example.com/wsecho/adapters/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql/parser"
)

// scraped are the labels that Prometheus adds to every series, and the one that the adapter
// recommends for endpoints.
var scraped = []string{"job", "instance", "endpoint"}

// exported returns the labels of all exported series by name.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(wsprometheus.New())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string][]string{}
	for _, f := range families {
		metric := f.GetMetric()[0]
		labels := slices.Clone(scraped)
		for _, l := range metric.GetLabel() {
			labels = append(labels, l.GetName())
		}
		if metric.GetHistogram() == nil {
			series[f.GetName()] = labels
			continue
		}
		series[f.GetName()+"_bucket"] = append(labels, "le")
		series[f.GetName()+"_sum"] = labels
		series[f.GetName()+"_count"] = labels
	}
	return series
}

// query is an expression of the dashboard.
type query struct{ where, expr string }

// queries returns the queries of the panels and of the variables, as Prometheus receives them.
func queries(t *testing.T) []query {
	t.Helper()
	var qs []query
	d := load(t)
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			expr := strings.ReplaceAll(target.Expr, "$__rate_interval", "1m")
			qs = append(qs, query{p.Title + ", " + target.RefID, expr})
		}
	}
	for _, v := range d.Templating.List[1:] {
		var q struct{ Query string }
		if err := json.Unmarshal(v.Query, &q); err != nil {
			t.Fatal(err)
		}
		selector, ok := strings.CutPrefix(q.Query, "label_values(")
		selector, isLabel := strings.CutSuffix(selector, ", "+v.Name+")")
		if !ok || !isLabel {
			t.Errorf("variable %s: %s does not give its values", v.Name, q.Query)
		}
		qs = append(qs, query{"variable " + v.Name, selector})
	}
	return qs
}

// Every query parses, and selects exported series by labels that they have.
func TestQueries(t *testing.T) {
	series := exported(t)
	p := parser.NewParser(parser.Options{})
	for _, q := range queries(t) {
		expr, err := p.ParseExpr(q.expr)
		if err != nil {
			t.Errorf("%s: %v", q.where, err)
			continue
		}
		parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
			switch n := node.(type) {
			case *parser.VectorSelector:
				checkSelector(t, q, n, series)
			case *parser.AggregateExpr:
				checkLabels(t, q, n.Grouping, series[selected(n)])
			}
			return nil
		})
	}
}

func checkSelector(t *testing.T, q query, s *parser.VectorSelector, series map[string][]string) {
	t.Helper()
	if series[s.Name] == nil {
		t.Errorf("%s: no series %s", q.where, s.Name)
		return
	}
	var names []string
	for _, m := range s.LabelMatchers {
		if m.Name != "__name__" {
			names = append(names, m.Name)
		}
	}
	checkLabels(t, q, names, series[s.Name])
	isVariable := strings.HasPrefix(q.where, "variable ")
	for _, label := range scraped {
		if !isVariable && !slices.Contains(names, label) {
			t.Errorf("%s: %s is not filtered by %s", q.where, s.Name, label)
		}
	}
}

func checkLabels(t *testing.T, q query, got, have []string) {
	t.Helper()
	for _, label := range got {
		if !slices.Contains(have, label) {
			t.Errorf("%s: no label %s, only %q", q.where, label, have)
		}
	}
}

// selected returns the name of the first series under the node.
func selected(node parser.Node) (name string) {
	parser.Inspect(node, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok && name == "" {
			name = s.Name
		}
		return nil
	})
	return name
}

// The dashboard shows every exported metric, a histogram by its buckets.
func TestAllShown(t *testing.T) {
	var shown strings.Builder
	for _, q := range queries(t) {
		shown.WriteString(q.expr + "\n")
	}
	for name := range exported(t) {
		name = strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count")
		if !strings.Contains(shown.String(), name+"{") &&
			!strings.Contains(shown.String(), name+"_bucket{") {
			t.Errorf("no panel shows %s", name)
		}
	}
}
