package closing

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

var (
	errOurs, errTheirs = errors.New("ours"), errors.New("theirs")
	errDrain           = errors.New("drain")
)

func (s state) String() string {
	return [...]string{
		"open", "draining", "failing", "closeSent", "closeReceived", "closed", "lost",
	}[s]
}

// Every transition of the diagram at state, and the events that change nothing.
func TestTransitions(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	e := errOurs
	events := map[string]func(h *Handshake) any{
		"drain":   func(h *Handshake) any { return h.Drain(errDrain, now) },
		"fail":    func(h *Handshake) any { return h.Fail(e) },
		"send":    func(h *Handshake) any { return h.Send(e, now, time.Second, false) },
		"receive": func(h *Handshake) any { h.Receive(errTheirs); return nil },
		"unsend":  func(h *Handshake) any { h.Unsend(); return nil },
		"lose":    func(h *Handshake) any { return h.Lose(nil) },
	}
	states := map[state][]string{ // how to get there
		open:          {},
		draining:      {"drain"},
		failing:       {"fail"},
		closeSent:     {"send"},
		closeReceived: {"receive"},
		closed:        {"receive", "send"},
		lost:          {"lose"},
	}
	for _, test := range []struct {
		from  state
		event string
		to    state
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
			var h Handshake
			for _, event := range states[test.from] {
				events[event](&h)
			}
			if h.state != test.from {
				t.Fatalf("begins in %v", h.state)
			}
			if got := events[test.event](&h); got != test.want || h.state != test.to {
				t.Errorf("to %v, returned %v; want %v, %v", h.state, got, test.to, test.want)
			}
		})
	}
}

// What a reader that has to wait is told, in each state and at each time.
func TestWait(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	e := errOurs
	drain := func(h *Handshake) { h.Drain(errDrain, now) }
	fail := func(h *Handshake) { h.Fail(e) }
	send := func(h *Handshake) { h.Send(e, now, 5*time.Second, false) }
	sendUnlimited := func(h *Handshake) { h.Send(e, now, -1, false) }
	write := func(h *Handshake) { h.Send(e, now, 5*time.Second, true) }
	written := func(h *Handshake) { h.Written(now.Add(time.Minute), 5*time.Second) }
	receive := func(h *Handshake) { h.Receive(e) }
	lose := func(h *Handshake) { _ = h.Lose(nil) }
	for _, test := range []struct {
		name          string
		events        []func(*Handshake)
		after, waited time.Duration
		want          string
	}{
		{"open", nil, 0, 0, "for ever"},
		{"draining, busy", []func(*Handshake){drain}, 0, 0, "50ms"},
		{"draining, not yet quiet", []func(*Handshake){drain}, 0, 49 * time.Millisecond, "50ms"},
		{"draining, quiet", []func(*Handshake){drain}, 0, 50 * time.Millisecond, "close"},
		{"draining, almost too long", []func(*Handshake){drain}, 999 * time.Millisecond, 0, "50ms"},
		{"draining, too long", []func(*Handshake){drain}, time.Second, 0, "close"},
		{"draining, again", []func(*Handshake){drain, drain}, time.Second, 0, "close"},
		{"failing", []func(*Handshake){fail}, 0, 0, "ours"},
		{"failing after draining", []func(*Handshake){drain, fail}, 0, 0, "ours"},
		{"draining after failing", []func(*Handshake){fail, drain}, 0, 0, "ours"},
		{"close sent", []func(*Handshake){send}, time.Second, 0, "4s"},
		{"close sent after draining", []func(*Handshake){drain, send}, time.Second, 0, "4s"},
		{"close sent, almost too long", []func(*Handshake){send}, 5*time.Second - 1, 0, "1ns"},
		{"close sent, too long", []func(*Handshake){send}, 5 * time.Second, 0, "closing: no close frame within the timeout"},
		{"close sent, no limit", []func(*Handshake){sendUnlimited}, time.Hour, 0, "for ever"},
		{"close frame in writing", []func(*Handshake){write}, time.Minute, 0, "100ms"},
		{"close frame written", []func(*Handshake){write, written}, time.Minute, 0, "5s"},
		{"close received", []func(*Handshake){receive}, 0, 0, "for ever"},
		{"closed", []func(*Handshake){receive, send}, time.Second, 0, "4s"},
		{"lost", []func(*Handshake){drain, lose}, time.Hour, time.Hour, "for ever"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var h Handshake
			for _, event := range test.events {
				event(&h)
			}
			until, due, err := h.Wait(now.Add(test.after), test.waited)
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
func TestEnd(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const none, ours, theirs = "<nil> false", "ours false", "theirs true"
	send := func(h *Handshake) { h.Send(errOurs, now, 5*time.Second, false) }
	sendUnlimited := func(h *Handshake) { h.Send(errOurs, now, -1, false) }
	sendBriefly := func(h *Handshake) { h.Send(errOurs, now, time.Millisecond, false) }
	receive := func(h *Handshake) { h.Receive(errTheirs) }
	unsend := func(h *Handshake) { h.Unsend() }
	lose := func(h *Handshake) { _ = h.Lose(nil) }
	for _, test := range []struct {
		name   string
		events []func(*Handshake)
		first  string
		mutual bool
		linger string
	}{
		{"nothing", nil, none, false, "for ever"},
		{"lost", []func(*Handshake){lose}, none, false, "for ever"},
		{"sent", []func(*Handshake){send}, ours, false, "5s"},
		{"sent and lost", []func(*Handshake){send, lose}, ours, false, "5s"},
		{"sent in vain", []func(*Handshake){send, unsend}, none, false, "5s"},
		{"sent, then received", []func(*Handshake){send, receive}, ours, true, "100ms"},
		{"sent without limit, then received", []func(*Handshake){sendUnlimited, receive}, ours, true, "100ms"},
		{"sent without limit", []func(*Handshake){sendUnlimited}, ours, false, "for ever"},
		{"sent briefly, then received", []func(*Handshake){sendBriefly, receive}, ours, true, "1ms"},
		{"received", []func(*Handshake){receive}, theirs, true, "100ms"},
		{"received, then sent", []func(*Handshake){receive, send}, theirs, true, "100ms"},
		{"received, then sent in vain", []func(*Handshake){receive, send, unsend}, theirs, true, "100ms"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var h Handshake
			for _, event := range test.events {
				event(&h)
			}
			first, byClient := h.First()
			if got := fmt.Sprint(first, byClient); got != test.first {
				t.Errorf("first %s, want %s", got, test.first)
			}
			if got := h.IsMutual(); got != test.mutual {
				t.Errorf("IsMutual() = %v", got)
			}
			linger := "for ever"
			if until := h.LingerDeadline(now); !until.IsZero() {
				linger = until.Sub(now).String()
			}
			if linger != test.linger {
				t.Errorf("lingers %s, want %s", linger, test.linger)
			}
		})
	}
}
