package report

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// The chart's dimensions, in pixels at its natural size.
const (
	width      = 880
	perRow     = 3
	margin     = 24
	gap        = 24
	headHeight = 86
	panelHead  = 46
	barHeight  = 13
	barPitch   = 19
	nameWidth  = 92
	valueWidth = 52
	footHeight = 34
)

// style has colors for light and for dark mode. The chart has its own background, so that it is
// readable on any page.
const style = `
  .back { fill: #ffffff }
  text { fill: #1f2328; font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
  .title { font-size: 18px; font-weight: 600 }
  .panel { font-size: 13px; font-weight: 600 }
  .soft { fill: #59636e; font-size: 11px }
  .ours { font-weight: 600 }
  .bar { fill: #a9b8c9 }
  .bar.base { fill: #6e7781 }
  .bar.ours { fill: #0a7f6f }
  .one { stroke: #6e7781; stroke-dasharray: 2 2 }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 }
    text { fill: #e6edf3 }
    .soft { fill: #9198a1 }
    .bar { fill: #4a5a6e }
    .bar.base { fill: #8b949e }
    .bar.ours { fill: #2fbfa8 }
    .one { stroke: #8b949e }
  }
`

// Chart returns the figures as an SVG picture: a panel of bars for each column, all with the
// servers in the same order. The caption is a line about their source.
func Chart(f Figures, title, caption string) string {
	panels := 0
	for _, c := range f.Columns {
		if c.Panel != "" {
			panels++
		}
	}
	panelHeight := panelHead + len(f.Rows)*barPitch + gap
	height := headHeight + (panels+perRow-1)/perRow*panelHeight + footHeight
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" `+
		`width="%d" height="%d" role="img" aria-labelledby="title desc">`+"\n",
		width, height, width, height)
	fmt.Fprintf(&b, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n",
		escape(title), escape(description(f)))
	fmt.Fprintf(&b, "<style>%s</style>\n", style)
	fmt.Fprintf(&b, `<rect class="back" width="%d" height="%d" rx="8"/>`+"\n", width, height)
	line(&b, "title", margin, 34, "start", title)
	line(&b, "soft", margin, 54, "start", legend(f))
	line(&b, "soft", margin, 70, "start", notes(f))
	n := 0
	for i, c := range f.Columns {
		if c.Panel == "" {
			continue
		}
		const panelWidth = (width - 2*margin - (perRow-1)*gap) / perRow
		x, y := margin+n%perRow*(panelWidth+gap), headHeight+n/perRow*panelHeight
		panel(&b, f, i, x, y, panelWidth)
		n++
	}
	line(&b, "soft", margin, height-16, "start", caption)
	b.WriteString("</svg>\n")
	return b.String()
}

// panel draws column i at x, y.
func panel(b *strings.Builder, f Figures, i, x, y, width int) {
	c := f.Columns[i]
	line(b, "panel", x, y+16, "start", c.Panel)
	line(b, "soft", x, y+32, "start", sub(c))
	longest := 0.0
	for _, r := range f.Rows {
		if !math.IsNaN(r.Cells[i]) {
			longest = max(longest, r.Cells[i])
		}
	}
	left, room := x+nameWidth, width-nameWidth-valueWidth
	top := y + panelHead
	one := math.NaN()
	for n, r := range f.Rows {
		v, at := r.Cells[i], top+n*barPitch
		line(b, class("", r), left-8, at+barHeight-2, "end", r.Name)
		length := 0.0
		if longest > 0 && !math.IsNaN(v) {
			length = v / longest * float64(room)
		}
		if r.Baseline {
			one = length
		}
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="1.5"/>`+"\n",
			class("bar", r), left, at, length, barHeight)
		line(b, class("", r), x+width, at+barHeight-2, "end", text(v, c.Unit))
	}
	if c.Unit == Ratio && one > 0 {
		fmt.Fprintf(b, `<line class="one" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`+"\n",
			float64(left)+one, top-4, float64(left)+one, top+len(f.Rows)*barPitch-2)
	}
}

func sub(c Column) string {
	if c.Less {
		return c.Sub + "; shorter is better"
	}
	return c.Sub
}

func class(kind string, r Row) string {
	switch {
	case r.Ours:
		kind += " ours"
	case r.Baseline:
		kind += " base"
	}
	return strings.TrimSpace(kind)
}

func line(b *strings.Builder, class string, x, y int, anchor, s string) {
	fmt.Fprintf(b, `<text class="%s" x="%d" y="%d" text-anchor="%s">%s</text>`+"\n",
		class, x, y, anchor, escape(s))
}

// legend explains the bars.
func legend(f Figures) string {
	for _, r := range f.Rows {
		if r.Baseline {
			return "Ratios to " + r.Title +
				", the dashed line. Longer bars are better unless noted otherwise."
		}
	}
	return ""
}

// notes explains the servers whose names do not.
func notes(f Figures) string {
	var all []string
	for _, r := range f.Rows {
		if r.Note != "" {
			all = append(all, r.Name+": "+r.Note)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return strings.Join(all, "; ") + "."
}

// description returns a text alternative to the chart, for screen readers.
func description(f Figures) string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(legend(f) + " " + notes(f)))
	for i, c := range f.Columns {
		if c.Panel == "" {
			continue
		}
		fmt.Fprintf(&b, " %s, %s:", c.Panel, sub(c))
		for n, r := range f.Rows {
			if n > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, " %s %s", r.Name, text(r.Cells[i], c.Unit))
		}
		b.WriteString(".")
	}
	return b.String()
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // Writes to a strings.Builder cannot fail.
	return b.String()
}
