package interop_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

// The dashboard of adapters/prometheus conforms to the types that Grafana publishes, without
// unknown fields or enumeration values.
func TestGrafanaSchema(t *testing.T) {
	dir := program.NPMInstall(t, filepath.Join("testdata", "grafana"))
	b, err := os.ReadFile("../../adapters/prometheus/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	dashboard := string(b)
	if out, err := typecheck(t, dir, dashboard); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, test := range []struct{ name, old, broken, want string }{
		{"field of a panel", `"gridPos"`, `"gridpos"`, `'"gridpos"' does not exist`},
		{"field of its graph", `"fillOpacity"`, `"opacity"`, `'"opacity"' does not exist`},
		{"value", `"normal"`, `"stacked"`, `Type '"stacked"' is not assignable`},
		{"missing", `"schemaVersion": 42,`, ``, `Property 'schemaVersion' is missing`},
	} {
		t.Run(test.name, func(t *testing.T) {
			broken := strings.Replace(dashboard, test.old, test.broken, 1)
			out, err := typecheck(t, dir, broken)
			if err == nil || !strings.Contains(out, test.want) {
				t.Errorf("got %v, want %q in\n%s", err, test.want, out)
			}
		})
	}
}

// typecheck checks the JSON with the TypeScript compiler installed in dir.
func typecheck(t *testing.T, dir, dashboard string) (output string, err error) {
	t.Helper()
	source := "import type { InFile } from './schema';\nexport const dashboard: InFile = " + dashboard
	if err := os.WriteFile(filepath.Join(dir, "dashboard.ts"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), program.Patience)
	defer cancel()
	node := program.Find(t, "node", "nodejs")
	compile := exec.CommandContext(ctx, node, filepath.FromSlash("node_modules/typescript/bin/tsc"))
	compile.Dir = dir
	out, err := compile.CombinedOutput()
	return string(out), err
}
