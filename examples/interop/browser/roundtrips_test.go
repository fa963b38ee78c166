package browser_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A roundTrip is a duration as the page shows it, such as "0.35 ms".
type roundTrip string

func (r roundTrip) duration() time.Duration {
	d, err := time.ParseDuration(strings.ReplaceAll(string(r), " ", ""))
	if err != nil {
		return 0
	}
	return d
}

// wantRoundTrips compares the figures and the plot with the round trips in the log. n is odd.
func (p *page) wantRoundTrips(n int) {
	p.t.Helper()
	shown := read[[]roundTrip](p,
		`Array.from(document.querySelectorAll("#log .in .rtt"), e => e.textContent)`)
	if len(shown) != n {
		p.t.Fatalf("round trips in the log: %q, want %d", shown, n)
	}
	for _, r := range shown {
		if d := r.duration(); d <= 0 || d > 10*time.Second {
			p.t.Errorf("a round trip took %q", r)
		}
	}
	p.wantText("#last", string(shown[n-1]))
	sorted := slices.SortedFunc(slices.Values(shown), func(a, b roundTrip) int {
		return cmp.Compare(a.duration(), b.duration())
	})
	p.wantText("#median", string(sorted[n/2]))
	p.wantText("#plot-caption", fmt.Sprintf(
		"Latest %d round trips: best %s, median %s (dashed), worst %s.",
		n, sorted[0], sorted[n/2], sorted[n-1]))
	p.wantPlot(shown)
}

// A trace is what the plot draws.
type trace struct {
	Width, Height float64
	Points        [][2]float64
	Dot           [2]float64
	Median        float64
	Labels        []string
}

const readTrace = `(plot => {
	const number = (part, name) => Number(plot.querySelector(part).getAttribute(name));
	const {width, height} = plot.getBoundingClientRect();
	return {
		width, height,
		points: plot.querySelector(".trace").getAttribute("d").slice(1).split("L")
			.map(point => point.split(",").map(Number)),
		dot: [number(".dot", "cx"), number(".dot", "cy")],
		median: number(".median", "y1"),
		labels: Array.from(plot.querySelectorAll("text"), e => e.textContent),
	};
})(document.querySelector("#plot"))`

// wantPlot wants one point for each round trip, later ones to the right, longer ones above.
func (p *page) wantPlot(shown []roundTrip) {
	p.t.Helper()
	got := read[trace](p, readTrace)
	if len(got.Points) != len(shown) {
		p.t.Fatalf("the plot has %d points, want %d", len(got.Points), len(shown))
	}
	for i, a := range got.Points {
		if a[0] <= 0 || a[0] >= got.Width || a[1] < 0 || a[1] >= got.Height {
			p.t.Errorf("point %d, %v, is outside of the plot, %v × %v", i, a, got.Width, got.Height)
		}
		for j, b := range got.Points[:i] {
			if b[0] >= a[0] {
				p.t.Errorf("point %d, %v, is not left of point %d, %v", j, b, i, a)
			}
			if shown[j].duration() > shown[i].duration() && b[1] > a[1] {
				p.t.Errorf("%s is drawn at %v, above %s at %v", shown[i], a, shown[j], b)
			}
		}
	}
	last := got.Points[len(got.Points)-1]
	if dx, dy := last[0]-got.Dot[0], last[1]-got.Dot[1]; dx*dx+dy*dy > 0.1 {
		p.t.Errorf("the dot is at %v, want it at the last point, %v", got.Dot, last)
	}
	if got.Median <= 0 || got.Median >= got.Height {
		p.t.Errorf("the median is drawn at %v of %v", got.Median, got.Height)
	}
	if len(got.Labels) < 3 || got.Labels[0] != "0" {
		p.t.Errorf("the axis has the labels %q", got.Labels)
	}
}

// read decodes the value of the expression.
func read[T any](p *page, expression string) (value T) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.get("JSON.stringify("+expression+")")), &value); err != nil {
		p.t.Fatal(err)
	}
	return value
}
