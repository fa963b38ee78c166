package dashboard_test

import (
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	wsprometheus "example.com/wsecho/adapters/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

const alerts = "../../../adapters/prometheus/alerts.yaml"

// parseRules parses rules as Prometheus does when it starts, templates of annotations included.
func parseRules(content []byte) (*rulefmt.RuleGroups, []error) {
	p, discard := parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler)
	return rulefmt.Parse(content, false, model.UTF8Validation, p, discard)
}

// values returns the values that each label of each series can have.
func values(t *testing.T) map[string]map[string][]string {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(wsprometheus.New())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]map[string][]string{}
	for _, f := range families {
		labels := map[string][]string{}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = append(labels[l.GetName()], l.GetValue())
			}
		}
		have[f.GetName()] = labels
	}
	return have
}

// Prometheus accepts the rules, which ask for series and label values that are exported.
func TestAlerts(t *testing.T) {
	content, err := os.ReadFile(alerts)
	if err != nil {
		t.Fatal(err)
	}
	groups, errs := parseRules(content)
	for _, err := range errs {
		t.Error(err)
	}
	series, have := exported(t), values(t)
	n := 0
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			n++
			checkAlert(t, r, series, have)
		}
	}
	if n != 8 {
		t.Errorf("%d rules, want 8", n)
	}
}

func checkAlert(
	t *testing.T, r rulefmt.Rule, series map[string][]string, have map[string]map[string][]string,
) {
	t.Helper()
	if r.Alert == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" ||
		r.Annotations["description"] == "" {
		t.Errorf("%+v: must be an alert with severity, summary and description", r)
	}
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr)
	if err != nil {
		t.Fatal(err)
	}
	checkShare(t, r.Alert, expr)
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			if series[n.Name] == nil {
				t.Errorf("%s: no series %s", r.Alert, n.Name)
			}
			checkMatchers(t, r.Alert, n, have[n.Name])
		case *parser.AggregateExpr:
			for _, label := range []string{"job", "endpoint"} {
				if !slices.Contains(n.Grouping, label) {
					t.Errorf("%s: sums over %s", r.Alert, label)
				}
			}
		}
		return nil
	})
}

// checkShare checks that an alert for a share asks for a number, too: on a quiet endpoint, one of two
// is a half.
func checkShare(t *testing.T, alert string, expr parser.Expr) {
	t.Helper()
	divides, counts := false, false
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if b, ok := node.(*parser.BinaryExpr); ok {
			divides = divides || b.Op == parser.DIV
			counts = counts || b.Op == parser.LAND && strings.Contains(b.RHS.String(), "increase(")
		}
		return nil
	})
	if divides && !counts {
		t.Errorf("%s: a share of how many?", alert)
	}
}

// checkMatchers checks that each alternative of a matcher is a value that the label has.
func checkMatchers(t *testing.T, alert string, s *parser.VectorSelector, have map[string][]string) {
	t.Helper()
	for _, m := range s.LabelMatchers {
		if m.Name == "__name__" {
			continue
		}
		for value := range strings.SplitSeq(m.Value, "|") {
			if !slices.Contains(have[m.Name], value) {
				t.Errorf("%s: %s has no %s=%q, only %q", alert, s.Name, m.Name, value, have[m.Name])
			}
		}
	}
}

// The parser finds what is wrong with rules.
func TestBadAlerts(t *testing.T) {
	content, err := os.ReadFile(alerts)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, old, broken, want string }{
		{"expression", "sum by (job, endpoint) (increase", "sum by job (increase", "parse error"},
		{"field", "severity:", "severity: {}\n        expr:", "mapping"},
		{"template", "{{ $labels.job }}", "{{ $label.job }}", "undefined variable"},
		{"duration", "for: 10m", "for: ten minutes", "not a valid duration"},
	} {
		t.Run(test.name, func(t *testing.T) {
			broken := strings.Replace(string(content), test.old, test.broken, 1)
			_, errs := parseRules([]byte(broken))
			if len(errs) == 0 || !strings.Contains(errs[0].Error(), test.want) {
				t.Errorf("got %v, want %q", errs, test.want)
			}
		})
	}
}
