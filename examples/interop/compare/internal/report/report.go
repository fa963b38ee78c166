// Package report formats the figures of a comparison as a Markdown table and an SVG chart.
package report

import (
	"fmt"
	"math"
	"strings"
)

// A Unit is the unit of the figures in a column.
type Unit int

// The units.
const (
	Ratio Unit = iota // to the baseline
	Bytes
	Count
)

// Figures are the results of a comparison.
type Figures struct {
	Columns []Column
	Rows    []Row
}

// A Column is one kind of measurement.
type Column struct {
	Title string
	// Panel and Sub are the title of the column's panel in a chart, in two lines; without them
	// the chart leaves the column out.
	Panel, Sub string
	Unit       Unit
	Less       bool // less is better
}

// A Row has the figures of one server.
type Row struct {
	Name     string // for the chart
	Title    string // for the table, with the version
	Note     string // for the chart's legend, or ""
	Ours     bool
	Baseline bool
	Cells    []float64 // one for each column; NaN where there is no figure
}

// text formats a figure.
func text(v float64, u Unit) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case u == Bytes:
		return thousands(int(math.Round(v)))
	case u == Count:
		return fmt.Sprintf("%.0f", v)
	case v >= 9.95:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Table returns the figures as a Markdown table.
func Table(f Figures) string {
	var b strings.Builder
	b.WriteString("| server |")
	for _, c := range f.Columns {
		fmt.Fprintf(&b, " %s |", c.Title)
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(f.Columns)) + "\n")
	for _, r := range f.Rows {
		name := r.Title
		if r.Ours {
			name = "**" + name + "**"
		}
		fmt.Fprintf(&b, "| %s |", name)
		for i, c := range f.Columns {
			fmt.Fprintf(&b, " %s |", text(r.Cells[i], c.Unit))
		}
		b.WriteString("\n")
	}
	return b.String()
}
