package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"example.com/wsecho/middleware"
)

// Limits of inspectors, besides those of the query.
const (
	maxInspections     = 100 // connections, and as many without pings; reports may be large
	maxInspectionRate  = 100 // messages a second that are read of a connection
	maxInspectionBytes = 10 << 20
	maxInspectionAge   = 24 * time.Hour
	inspectionPings    = 5 * time.Second
	maxLateReports     = 1024 // that wait for their delay
)

// An inspector is an endpoint that tells clients what arrives. Its first message on a connection
// is the handshake; then it answers each message with a report of it. Both are text, in JSON. The
// query of the URL asks for delays, sizes, pushes, closes and cuts, see [controls].
//
// Reports have what the client and the proxies in between have sent, so the endpoint is not for
// everybody. Credentials are masked.
type inspector struct {
	path        string
	credentials bool // are shown
	pings       time.Duration
	pinging     *middleware.Middleware
	silent      *middleware.Middleware // sends no pings
	stopping    chan struct{}          // closed when Shutdown begins
	stop        func()                 // closes it
}

// newInspector returns an inspector of connections that have the options o.
func newInspector(path string, credentials bool, o middleware.Options) *inspector {
	o.Path = path
	o.Handler = middleware.HandlerFunc(inspect)
	o.Hooks = middleware.JoinHooks(o.Hooks, middleware.Hooks{Pong: notePong})
	o.MaxConns = atMost(o.MaxConns, maxInspections)
	o.MaxMessageRate = atMost(o.MaxMessageRate, maxInspectionRate)
	o.MaxAge = atMost(o.MaxAge, maxInspectionAge)
	if o.PingInterval >= 0 {
		o.PingInterval = atMost(o.PingInterval, inspectionPings)
	}
	in := &inspector{
		path: path, credentials: credentials, pings: max(o.PingInterval, 0),
		stopping: make(chan struct{}),
	}
	in.stop = sync.OnceFunc(func() { close(in.stopping) })
	in.pinging = middleware.New(o)
	o.PingInterval = -1
	in.silent = middleware.New(o)
	return in
}

// atMost returns the limit that an option sets, or the most if it sets none.
func atMost[T int | float64 | time.Duration](option, most T) T {
	if option <= 0 {
		return most
	}
	return min(option, most)
}

// Handler returns a handler that inspects requests on the path and passes others to next.
func (in *inspector) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == in.path {
			in.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ServeHTTP refuses queries that are out of bounds before it answers the handshake.
func (in *inspector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := &inspection{began: time.Now(), in: in}
	var err error
	if s.controls, err = parseControls(r.URL.RawQuery); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if s.status != 0 {
		http.Error(w, "refused because the query has a status", s.status)
		return
	}
	ws := in.pinging
	if s.pingsOff {
		ws = in.silent
	}
	s.cutConn = func() error { return cutStream(w) }
	r = r.WithContext(context.WithValue(r.Context(), inspectionKey{}, s))
	ws.ServeHTTP(&watchedWriter{w, s}, r)
}

// NumConns is that of [middleware.Middleware].
func (in *inspector) NumConns() int { return in.pinging.NumConns() + in.silent.NumConns() }

// Shutdown is that of [middleware.Middleware]. It does not wait for delayed reports.
func (in *inspector) Shutdown(ctx context.Context) error {
	in.stop()
	ended := make(chan error, 1)
	go func() { ended <- in.silent.Shutdown(ctx) }()
	return errors.Join(in.pinging.Shutdown(ctx), <-ended)
}

// An inspection is a connection to an inspector.
type inspection struct {
	controls
	in         *inspector
	began      time.Time
	extensions string
	cutConn    func() error
	roundTrip  atomic.Int64 // of the last ping; 0 if there was none

	mu   sync.Mutex
	sent int       // reports, without that of the handshake
	paid time.Time // until when the bytes sent use up the rate
}

type inspectionKey struct{}

func notePong(c *middleware.Conn, rtt time.Duration) {
	s := c.Request().Context().Value(inspectionKey{}).(*inspection)
	s.roundTrip.Store(int64(rtt))
}

// inspect serves a connection. Its goroutines end with it.
func inspect(ctx context.Context, c *middleware.Conn) error {
	s := ctx.Value(inspectionKey{}).(*inspection)
	if err := s.begin(c); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var others sync.WaitGroup
	defer others.Wait()
	defer cancel()
	if s.every > 0 {
		others.Go(func() { s.push(ctx, c) })
	}
	late := make(chan report, s.maxLate())
	if s.delay > 0 {
		others.Go(func() { s.answerLate(ctx, c, late) })
	}
	return s.answer(ctx, c, late)
}

// begin sends the handshake.
func (s *inspection) begin(c *middleware.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := c.WriteMessage(middleware.TextMessage, s.handshake(c)); err != nil {
		return err
	}
	return s.endIfDue(c)
}

// maxLate returns how many reports wait for the delay if messages come at the highest rate.
func (s *inspection) maxLate() int {
	return min(1+int(s.delay.Seconds()*maxInspectionRate), maxLateReports)
}

// answer reads until the connection ends. Messages are not kept, whatever their size. Reading goes
// on during delays, or the client could neither ping nor close; it pauses while too many reports
// wait.
func (s *inspection) answer(ctx context.Context, c *middleware.Conn, late chan<- report) error {
	for number := 1; ; number++ {
		t, payload, err := c.NextReader()
		if err != nil {
			return err
		}
		size, err := io.Copy(io.Discard, payload)
		if err != nil {
			return err
		}
		r := s.report("message", number)
		r.Type, r.Size = t.String(), &size
		if s.delay == 0 {
			if err := s.send(ctx, c, r); err != nil {
				return err
			}
			continue
		}
		s.wait(ctx, late, r)
	}
}

// wait makes r wait for its delay, unless the connection ends, or there is no room for r and it is
// about to end: the next read says why.
func (s *inspection) wait(ctx context.Context, late chan<- report, r report) {
	select {
	case late <- r:
		return
	default:
	}
	select {
	case late <- r:
	case <-ctx.Done():
	case <-s.in.stopping:
	}
}

// answerLate sends each report after the delay.
func (s *inspection) answerLate(ctx context.Context, c *middleware.Conn, late <-chan report) {
	for {
		select {
		case r := <-late:
			if sleep(ctx, time.Until(r.Time.Add(s.delay))) != nil || s.send(ctx, c, r) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// push sends a report every so often. A client that is slow to read gets fewer.
func (s *inspection) push(ctx context.Context, c *middleware.Conn) {
	ticker := time.NewTicker(s.every)
	defer ticker.Stop()
	for number := 1; ; number++ {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if s.send(ctx, c, s.report("push", number)) != nil {
			return
		}
	}
}

func (s *inspection) send(ctx context.Context, c *middleware.Conn, r report) error {
	text := s.resize(r.text())
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.pace(ctx, len(text)); err != nil {
		return err
	}
	if err := c.WriteMessage(middleware.TextMessage, text); err != nil {
		return err
	}
	s.sent++
	return s.endIfDue(c)
}

// pace waits as long as the rate demands for n more bytes. A tenth of a second is granted ahead.
func (s *inspection) pace(ctx context.Context, n int) error {
	now := time.Now()
	if s.paid.Before(now) {
		s.paid = now
	}
	s.paid = s.paid.Add(time.Duration(n) * time.Second / maxInspectionBytes)
	return sleep(ctx, s.paid.Sub(now)-time.Second/10)
}

// endIfDue closes or cuts the connection if as many reports were sent as the query says.
func (s *inspection) endIfDue(c *middleware.Conn) error {
	switch {
	case s.closeCode != 0 && s.sent == s.closeAfter:
		return c.Close(s.closeCode, "the query has asked for this close")
	case s.cuts && s.sent == s.cutAfter:
		return s.cutConn()
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
