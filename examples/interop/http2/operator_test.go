package http2_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/wsecho/middleware"
	"golang.org/x/net/http2"
)

// Connections whose time is over get their close frame, and the handler nothing that comes later.
func TestLifetimes(t *testing.T) {
	const wait = time.Second
	for _, test := range []struct {
		name string
		opts middleware.Options
		code uint16
		want string
	}{
		{"Expires", middleware.Options{
			Expires: func(*http.Request) time.Time { return time.Now().Add(wait) },
		}, 3000, "the credentials have expired"},
		{"MaxAge", middleware.Options{MaxAge: wait}, 1001, "the connection has reached its maximum age"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := newEndings(t)
			ws := dial(t, serve(t, e.around(echo(e.watch(test.opts))))).connect()
			began := time.Now()
			ws.send(hello)
			ws.want(helloBack + closeReply(test.code, test.want))
			if got := time.Since(began); got < wait*8/10 {
				t.Errorf("after %v, want %v", got, wait)
			}
			ws.send(hello + closing(test.code, ""))
			ws.wantEnd()
			info := e.wantClosed(int(test.code), false)
			if info.Cause() != "server" || info.Err != nil || info.Sent != 5 {
				t.Errorf("%s: %+v", info.Cause(), info)
			}
		})
	}
}

// The connections of one HTTP/2 connection are told one after the other.
func TestDrainSpread(t *testing.T) {
	e := newEndings(t)
	m := echo(e.watch(middleware.Options{DrainSpread: time.Second}))
	c := dial(t, serve(t, e.around(m)))
	streams := make([]*stream, 20)
	for i := range streams {
		streams[i] = c.connect()
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	began := time.Now()
	drained := make(chan error, 1)
	go func() { drained <- m.Shutdown(ctx) }()
	var wg sync.WaitGroup
	for _, ws := range streams {
		wg.Go(func() {
			ws.wantOrError(closeReply(1001, "server is shutting down"))
			if _, err := ws.Write([]byte(closing(1001, ""))); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range streams {
		receive(t, e.closed)
		if due := time.Duration(i) * 50 * time.Millisecond; time.Since(began) < due {
			t.Errorf("connection %d has ended after %v, want %v", i+1, time.Since(began), due)
		}
	}
	waitAll(t, &wg)
	if err := receive(t, drained); err != nil {
		t.Error(err)
	}
}

// A stream that is read slowly, because its client sends too fast, does not hold up another.
func TestMaxMessageRate(t *testing.T) {
	c := dial(t, serve(t, echo(middleware.Options{MaxMessageRate: 50})))
	fast, other := c.connect(), c.connect()
	began := time.Now()
	fast.send(strings.Repeat(hello, 200))
	for range 10 {
		other.send(hello)
		other.want(helloBack)
	}
	if got := time.Since(began); got > 2*time.Second {
		t.Errorf("the other stream took %v", got)
	}
	fast.want(strings.Repeat(helloBack, 200))
	if got := time.Since(began); got < 2900*time.Millisecond {
		t.Errorf("200 messages took %v, want 3s: 50 at once, and 50 a second", got)
	}
	for _, ws := range []*stream{fast, other} {
		ws.send(bye)
		ws.want(byeBack)
		ws.wantEnd()
	}
}

// The cap holds for streams that are opened at once, on several connections of one address, and
// slots come back however a stream ends.
func TestMaxConnsPerClient(t *testing.T) {
	e := newEndings(t)
	m := echo(e.watch(middleware.Options{MaxConnsPerClient: 10}))
	s := serve(t, e.around(m))
	clients := []*client{dial(t, s), dial(t, s), dial(t, s)}
	for round := range 3 {
		streams := make([]*stream, 60)
		var wg sync.WaitGroup
		for n, c := range clients {
			wg.Go(func() {
				for i := n; i < len(streams); i += len(clients) {
					streams[i] = c.open()
				}
			})
		}
		waitAll(t, &wg)
		var admitted []*stream
		for _, ws := range streams {
			ws.waitFor("response", func() bool { return ws.header != nil || ws.reset != nil })
			switch status := ws.status(); status {
			case "200":
				admitted = append(admitted, ws)
			case "429":
				receive(t, e.returned)
			default:
				t.Errorf("status %q", status)
			}
		}
		if len(admitted) != 10 {
			t.Fatalf("round %d: %d admitted, want 10", round, len(admitted))
		}
		for i, ws := range admitted {
			if i%2 == 0 {
				ws.sendReset(http2.ErrCodeCancel)
				continue
			}
			ws.send(bye)
			ws.want(byeBack)
			ws.wantEnd()
		}
		for range admitted {
			receive(t, e.closed)
			receive(t, e.returned)
		}
	}
}
