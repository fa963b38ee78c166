package admission_test

import (
	"strings"
	"sync"
	"testing"

	"example.com/wsecho/middleware/internal/admission"
)

func TestGate(t *testing.T) {
	const none = -1
	for _, test := range []struct {
		name           string
		max, perClient int
		events         string // a client enters, or, in upper case, leaves; "." closes
		want           string // of each entry
	}{
		{"no limit", none, none, "aaaaaaaa", "++++++++"},
		{"limit", 2, none, "abcAcc", "++f+f"},
		{"nobody", 0, none, "a", "f"},
		{"limit for a client", none, 2, "aaabbbAaa", "++c++c+c"},
		{"both", 3, 2, "aaabcAc", "++c+f+"},
		{"the limit in all is told first", 2, 2, "aaa", "++f"},
		{"closed", 5, 5, "a.aAb", "+xx"},
		{"client that has left", none, 1, "aAaAab", "++++"},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := admission.NewGate(test.max, test.perClient)
			var got string
			for _, e := range test.events {
				switch {
				case e == '.':
					g.Close()
				case e < 'a':
					g.Leave(string(e - 'A' + 'a'))
				default:
					got += map[error]string{
						nil: "+", admission.ErrFull: "f", admission.ErrClientFull: "c", admission.ErrClosed: "x",
					}[g.Enter(string(e))]
				}
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestClose(t *testing.T) {
	g := admission.NewGate(-1, -1)
	if g.Closed() {
		t.Error("closed at first")
	}
	_ = g.Enter("")
	_ = g.Enter("")
	empty := g.Close()
	g.Leave("")
	select {
	case <-empty:
		t.Error("empty although somebody is inside")
	default:
	}
	g.Leave("")
	<-empty
	<-g.Close()
	if !g.Closed() {
		t.Error("not closed")
	}
	<-admission.NewGate(0, 0).Close()
}

// The limits hold when many enter at the same time.
func TestRace(t *testing.T) {
	g := admission.NewGate(10, 3)
	var racers sync.WaitGroup
	var mu sync.Mutex
	inside, admitted := map[string]int{}, 0
	for i := range 40 {
		client := string(rune('a' + i%5))
		racers.Go(func() {
			for range 100 {
				if g.Enter(client) != nil {
					continue
				}
				mu.Lock()
				admitted++
				if inside[client]++; inside[client] > 3 {
					t.Error("more than 3 of one client")
				}
				if total := inside["a"] + inside["b"] + inside["c"] + inside["d"] + inside["e"]; total > 10 {
					t.Error("more than 10 in all")
				}
				mu.Unlock()
				mu.Lock()
				inside[client]--
				g.Leave(client)
				mu.Unlock()
			}
		})
	}
	racers.Wait()
	if admitted == 0 {
		t.Error("nobody is admitted")
	}
	<-g.Close()
}

func TestNetwork(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"192.0.2.1:1234", "192.0.2.1"},
		{"[::ffff:192.0.2.1]:1234", "192.0.2.1"},
		{"[2001:db8:1:2:3:4:5:6]:80", "2001:db8:1:2::/64"},
		{"[2001:db8:1:2::1]:80", "2001:db8:1:2::/64"},
		{"[fe80::1%eth0]:80", "fe80::/64"},
		{"192.0.2.1", "192.0.2.1"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"[2001:db8:1:2:3:4:5:6]", "2001:db8:1:2::/64"}, // as in Forwarded (RFC 7239)
		{"[::ffff:192.0.2.1]", "192.0.2.1"},
		{"[x]", "[x]"},
		{"@", "@"},
		{"", ""},
	} {
		if got := admission.Network(test.in); got != test.want {
			t.Errorf("Network(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

// Names from headers cost little, and differ if they are long, too.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	a, again, b := admission.Network(long), admission.Network(long), admission.Network(long+"y")
	if len(a) > 128 || a != again || a == b {
		t.Errorf("names of %d, %d and %d bytes", len(a), len(again), len(b))
	}
	if got := admission.Network(long[:128]); got != long[:128] {
		t.Errorf("a name of 128 bytes became %q", got)
	}
}
