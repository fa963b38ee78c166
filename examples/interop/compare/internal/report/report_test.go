package report

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func figures() Figures {
	return Figures{
		Columns: []Column{
			{Title: "128 B, 16 × 64", Panel: "Messages per second, 128 B", Sub: "16 connections"},
			{Title: "its frames", Unit: Count},
			{Title: "idle, bytes", Panel: "Bytes", Sub: "of 9", Unit: Bytes, Less: true},
		},
		Rows: []Row{
			{Name: "wsecho", Title: "wsecho 1234567", Note: "Batched", Ours: true, Cells: []float64{10.04, 1, 6100.4}},
			{Name: "gorilla", Title: "gorilla/websocket v1.5.3", Baseline: true, Cells: []float64{1, 1, 17600}},
			{Name: "a<b", Title: "a<b v1", Note: "slow", Cells: []float64{0.256, 33, math.NaN()}},
		},
	}
}

func TestTable(t *testing.T) {
	const want = `| server | 128 B, 16 × 64 | its frames | idle, bytes |
|---|---:|---:|---:|
| **wsecho 1234567** | 10.0 | 1 | 6,100 |
| gorilla/websocket v1.5.3 | 1.00 | 1 | 17,600 |
| a<b v1 | 0.26 | 33 | – |
`
	if got := Table(figures()); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -4096: "-4,096", -409: "-409"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestChart(t *testing.T) {
	got := Chart(figures(), "Echo & more", "on a machine")
	for _, want := range []string{
		`<title id="title">Echo &amp; more</title>`,
		`<desc id="desc">Ratios to gorilla/websocket v1.5.3, the dashed line. ` +
			`Longer bars are better unless noted otherwise. wsecho: Batched; a&lt;b: slow. ` +
			`Messages per second, 128 B, 16 connections: wsecho 10.0, gorilla 1.00, a&lt;b 0.26. ` +
			`Bytes, of 9; shorter is better: wsecho 6,100, gorilla 17,600, a&lt;b –.</desc>`,
		`<rect class="bar ours" x="116" y="132" width="117.0" height="13" rx="1.5"/>`,
		`<rect class="bar base" x="116" y="151" width="11.7" height="13" rx="1.5"/>`,
		`<rect class="bar" x="116" y="170" width="3.0" height="13" rx="1.5"/>`,
		`<line class="one" x1="127.7" y1="128" x2="127.7" y2="187"/>`,
		`<text class="ours" x="285" y="143" text-anchor="end">10.0</text>`,
		`<text class="panel" x="309" y="102" text-anchor="start">Bytes</text>`,
		`<text class="soft" x="24" y="70" text-anchor="start">wsecho: Batched; a&lt;b: slow.</text>`,
		`<text class="soft" x="24" y="231" text-anchor="start">on a machine</text>`,
		"prefers-color-scheme: dark",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the chart lacks %s", want)
		}
	}
	for d := xml.NewDecoder(strings.NewReader(got)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}
