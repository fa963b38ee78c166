package middleware

import (
	"fmt"
	"testing"
	"time"
)

func (s closeState) String() string {
	return [...]string{
		"open", "draining", "failing", "closeSent", "closeReceived", "closed", "lost",
	}[s]
}

// Every transition of the diagram on closeState, and the events that change nothing.
func TestClosingTransitions(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	e := &CloseError{Code: 4000, Reason: "ours"}
	events := map[string]func(cl *closing) any{
		"drain":   func(cl *closing) any { return cl.drain(now) },
		"fail":    func(cl *closing) any { return cl.fail(e) },
		"send":    func(cl *closing) any { return cl.send(e, now, time.Second, false) },
		"receive": func(cl *closing) any { cl.receive(&CloseError{Code: 4001}); return nil },
		"unsend":  func(cl *closing) any { cl.unsend(); return nil },
		"lose":    func(cl *closing) any { return cl.lose(nil) },
	}
	states := map[closeState][]string{ // how to get there
		open:          {},
		draining:      {"drain"},
		failing:       {"fail"},
		closeSent:     {"send"},
		closeReceived: {"receive"},
		closed:        {"receive", "send"},
		lost:          {"lose"},
	}
	for _, test := range []struct {
		from  closeState
		event string
		to    closeState
		want  any // what the event returns
	}{
		{open, "drain", draining, true},
		{open, "fail", failing, true},
		{open, "send", closeSent, true},
		{open, "receive", closeReceived, nil},
		{open, "lose", lost, nil},
		{draining, "drain", draining, true},
		{draining, "fail", failing, true},
		{draining, "send", closeSent, true},
		{draining, "receive", closeReceived, nil},
		{draining, "lose", lost, nil},
		{failing, "drain", failing, true},
		{failing, "fail", failing, true},
		{failing, "send", closeSent, true},
		{failing, "receive", closeReceived, nil},
		{failing, "lose", lost, nil},
		{closeSent, "drain", closeSent, false},
		{closeSent, "fail", closeSent, false},
		{closeSent, "send", closeSent, false},
		{closeSent, "receive", closed, nil},
		{closeSent, "unsend", lost, nil},
		{closeSent, "lose", lost, nil},
		{closeReceived, "drain", closeReceived, false},
		{closeReceived, "fail", closeReceived, false},
		{closeReceived, "send", closed, true},
		{closeReceived, "receive", closeReceived, nil},
		{closeReceived, "lose", lost, nil},
		{closed, "drain", closed, false},
		{closed, "fail", closed, false},
		{closed, "send", closed, false},
		{closed, "receive", closed, nil},
		{closed, "unsend", lost, nil},
		{closed, "lose", lost, nil},
		{lost, "drain", lost, false},
		{lost, "fail", lost, false},
		{lost, "send", lost, false},
		{lost, "receive", lost, nil},
		{lost, "lose", lost, nil},
	} {
		t.Run(fmt.Sprintf("%v, %s", test.from, test.event), func(t *testing.T) {
			var cl closing
			for _, event := range states[test.from] {
				events[event](&cl)
			}
			if cl.state != test.from {
				t.Fatalf("begins in %v", cl.state)
			}
			if got := events[test.event](&cl); got != test.want || cl.state != test.to {
				t.Errorf("to %v, returned %v; want %v, %v", cl.state, got, test.to, test.want)
			}
		})
	}
}

// What a reader that has to wait is told, in each state and at each time.
func TestClosingWait(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	e := &CloseError{Code: 4000}
	drain := func(cl *closing) { cl.drain(now) }
	fail := func(cl *closing) { cl.fail(e) }
	send := func(cl *closing) { cl.send(e, now, 5*time.Second, false) }
	sendUnlimited := func(cl *closing) { cl.send(e, now, -1, false) }
	write := func(cl *closing) { cl.send(e, now, 5*time.Second, true) }
	written := func(cl *closing) { cl.written(now.Add(time.Minute), 5*time.Second) }
	receive := func(cl *closing) { cl.receive(e) }
	lose := func(cl *closing) { _ = cl.lose(nil) }
	for _, test := range []struct {
		name          string
		events        []func(*closing)
		after, waited time.Duration
		want          string
	}{
		{"open", nil, 0, 0, "for ever"},
		{"draining, busy", []func(*closing){drain}, 0, 0, "50ms"},
		{"draining, not yet quiet", []func(*closing){drain}, 0, 49 * time.Millisecond, "50ms"},
		{"draining, quiet", []func(*closing){drain}, 0, 50 * time.Millisecond, "close"},
		{"draining, almost too long", []func(*closing){drain}, 999 * time.Millisecond, 0, "50ms"},
		{"draining, too long", []func(*closing){drain}, time.Second, 0, "close"},
		{"draining, again", []func(*closing){drain, drain}, time.Second, 0, "close"},
		{"failing", []func(*closing){fail}, 0, 0, `middleware: closed with 4000 ""`},
		{"failing after draining", []func(*closing){drain, fail}, 0, 0, `middleware: closed with 4000 ""`},
		{"draining after failing", []func(*closing){fail, drain}, 0, 0, `middleware: closed with 4000 ""`},
		{"close sent", []func(*closing){send}, time.Second, 0, "4s"},
		{"close sent after draining", []func(*closing){drain, send}, time.Second, 0, "4s"},
		{"close sent, almost too long", []func(*closing){send}, 5*time.Second - 1, 0, "1ns"},
		{"close sent, too long", []func(*closing){send}, 5 * time.Second, 0, "middleware: no close frame within the CloseTimeout"},
		{"close sent, no limit", []func(*closing){sendUnlimited}, time.Hour, 0, "for ever"},
		{"close frame in writing", []func(*closing){write}, time.Minute, 0, "100ms"},
		{"close frame written", []func(*closing){write, written}, time.Minute, 0, "5s"},
		{"close received", []func(*closing){receive}, 0, 0, "for ever"},
		{"closed", []func(*closing){receive, send}, time.Second, 0, "4s"},
		{"lost", []func(*closing){drain, lose}, time.Hour, time.Hour, "for ever"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var cl closing
			for _, event := range test.events {
				event(&cl)
			}
			until, due, err := cl.wait(now.Add(test.after), test.waited)
			got := "for ever"
			switch {
			case err != nil:
				got = err.Error()
			case due:
				got = "close"
			case !until.IsZero():
				got = until.Sub(now.Add(test.after)).String()
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// How the end is told, and how long the end of the stream is waited for.
func TestClosingEnd(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const ours, theirs = "4000 ours false", "4001 theirs true"
	send := func(cl *closing) { cl.send(&CloseError{Code: 4000, Reason: "ours"}, now, 5*time.Second, false) }
	sendUnlimited := func(cl *closing) { cl.send(&CloseError{Code: 4000, Reason: "ours"}, now, -1, false) }
	sendBriefly := func(cl *closing) { cl.send(&CloseError{Code: 4000, Reason: "ours"}, now, time.Millisecond, false) }
	receive := func(cl *closing) { cl.receive(&CloseError{Code: 4001, Reason: "theirs"}) }
	unsend := func(cl *closing) { cl.unsend() }
	lose := func(cl *closing) { _ = cl.lose(nil) }
	for _, test := range []struct {
		name   string
		events []func(*closing)
		info   string
		mutual bool
		linger string
	}{
		{"nothing", nil, "1006  false", false, "for ever"},
		{"lost", []func(*closing){lose}, "1006  false", false, "for ever"},
		{"sent", []func(*closing){send}, ours, false, "5s"},
		{"sent and lost", []func(*closing){send, lose}, ours, false, "5s"},
		{"sent in vain", []func(*closing){send, unsend}, "1006  false", false, "5s"},
		{"sent, then received", []func(*closing){send, receive}, ours, true, "100ms"},
		{"sent without limit, then received", []func(*closing){sendUnlimited, receive}, ours, true, "100ms"},
		{"sent without limit", []func(*closing){sendUnlimited}, ours, false, "for ever"},
		{"sent briefly, then received", []func(*closing){sendBriefly, receive}, ours, true, "1ms"},
		{"received", []func(*closing){receive}, theirs, true, "100ms"},
		{"received, then sent", []func(*closing){receive, send}, theirs, true, "100ms"},
		{"received, then sent in vain", []func(*closing){receive, send, unsend}, theirs, true, "100ms"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var cl closing
			for _, event := range test.events {
				event(&cl)
			}
			info := cl.info()
			if got := fmt.Sprint(info.Code, " ", info.Reason, " ", info.ByClient); got != test.info {
				t.Errorf("info %s, want %s", got, test.info)
			}
			if got := cl.isMutual(); got != test.mutual {
				t.Errorf("isMutual() = %v", got)
			}
			linger := "for ever"
			if until := cl.lingerDeadline(now); !until.IsZero() {
				linger = until.Sub(now).String()
			}
			if linger != test.linger {
				t.Errorf("lingers %s, want %s", linger, test.linger)
			}
		})
	}
}
