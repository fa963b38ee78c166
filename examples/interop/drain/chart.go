package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

const (
	width  = 880
	left   = 70  // of a panel
	right  = 860 // of a panel
	height = 200 // of a panel
)

var colors = []string{"#b35900", "#4d6fb3", "#0a7f6f"}

const style = `<style>
  .back { fill: #ffffff }
  text { fill: #1f2328; font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
  .title { font-size: 18px; font-weight: 600 }
  .panel { font-size: 13px; font-weight: 600 }
  .soft { fill: #59636e; font-size: 11px }
  .grid { stroke: #d1d9e0 }
  path { fill: none; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 }
    text { fill: #f0f6fc }
    .soft { fill: #9198a1 }
    .grid { stroke: #3d444d }
  }
</style>
`

// A panel is a diagram over the seconds from 0.
type panel struct {
	title   string
	top     int
	seconds int
	tick    int // seconds between two marks
	values  [][]int
}

func chart(lines []scenario, results []result) []byte {
	const bottom = 590
	p := lines[0].plan
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" `+
		`height="%d" role="img" aria-labelledby="title desc">`+"\n", width, bottom, width, bottom)
	fmt.Fprintf(&b, "<title id=\"title\">One of %d machines replaced</title>\n", p.machines)
	var texts []string
	for i, s := range lines {
		texts = append(texts, summary(s, results[i]))
	}
	fmt.Fprintf(&b, "<desc id=\"desc\">%s.</desc>\n", strings.Join(texts, ". "))
	b.WriteString(style)
	fmt.Fprintf(&b, "<rect class=\"back\" width=\"%d\" height=\"%d\"/>\n", width, bottom)
	fmt.Fprintf(&b, "<text class=\"title\" x=\"20\" y=\"30\">%d connections on %d machines, "+
		"one of them replaced after a minute</text>\n", p.conns, p.machines)
	for i, s := range lines {
		x := left + 180*i
		fmt.Fprintf(&b, "<path d=\"M%d 50h24\" stroke=\"%s\"/><text x=\"%d\" y=\"54\">%s</text>\n",
			x, colors[i], x+30, s.name)
	}
	var handshakes, added [][]int
	for _, r := range results {
		handshakes, added = append(handshakes, r.handshakes), append(added, r.added)
	}
	panel{"Handshakes a second at the balancer", 90, 240, 30, handshakes}.draw(&b)
	panel{
		"Connections of the machine added", 350, int(p.until.Seconds()), 600, added,
	}.draw(&b)
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (p panel) draw(b *bytes.Buffer) {
	highest := 1
	for _, v := range p.values {
		highest = max(highest, slices.Max(v[:min(len(v), p.seconds)]))
	}
	step := niceStep(highest)
	limit := (highest + step - 1) / step * step
	y := func(v int) float64 { return float64(p.top+height) - float64(v)*height/float64(limit) }
	x := func(second int) float64 { return left + float64(second)*(right-left)/float64(p.seconds) }
	fmt.Fprintf(b, "<text class=\"panel\" x=\"20\" y=\"%d\">%s</text>\n", p.top-12, p.title)
	for v := 0; v <= limit; v += step {
		fmt.Fprintf(b, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>"+
			"<text class=\"soft\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d</text>\n",
			left, y(v), right, left-8, y(v)+4, v)
	}
	for second := 0; second <= p.seconds; second += p.tick {
		fmt.Fprintf(b, "<text class=\"soft\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d:%02d</text>\n",
			x(second), p.top+height+16, second/60, second%60)
	}
	for i, values := range p.values {
		var path strings.Builder
		every := max(1, p.seconds/400) // more than can be seen
		for second := 0; second < min(len(values), p.seconds); second += every {
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(second, 1)], x(second), y(values[second]))
		}
		fmt.Fprintf(b, "<path stroke=\"%s\" d=\"%s\"/>\n", colors[i], path.String())
	}
}

// niceStep returns a round number of which there are four to ten up to highest.
func niceStep(highest int) int {
	for step := 1; ; step *= 10 {
		for _, factor := range []int{1, 2, 5} {
			if highest <= 10*factor*step {
				return factor * step
			}
		}
	}
}
