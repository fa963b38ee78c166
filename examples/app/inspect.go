package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
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
	pinging, pings := middleware.New(o), max(o.PingInterval, 0)
	o.PingInterval = -1
	return &inspector{path, credentials, pings, pinging, middleware.New(o)}
}

// atMost returns the limit that an option sets, or the most if it sets none.
func atMost[T int | float64 | time.Duration](option, most T) T {
	if option <= 0 {
		return most
	}
	return min(option, most)
}

// ServeHTTP refuses queries that are out of bounds before it answers the handshake.
func (in *inspector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := parseControls(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if c.status != 0 {
		http.Error(w, "refused because the query has a status", c.status)
		return
	}
	ws := in.pinging
	if c.pingsOff {
		ws = in.silent
	}
	s := &inspection{controls: c, in: in, began: time.Now(), w: w, answered: w.Header()}
	ws.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), inspectionKey{}, s)))
}

// An inspection is a connection to an inspector.
type inspection struct {
	controls
	in        *inspector
	began     time.Time
	w         http.ResponseWriter
	answered  http.Header             // of the handshake
	roundTrip atomic.Pointer[float64] // of the last ping, in ms; nil if there was none

	mu   sync.Mutex
	sent int       // messages, with that of the handshake
	paid time.Time // until when the bytes sent use up the rate
}

type inspectionKey struct{}

func notePong(c *middleware.Conn, rtt time.Duration) {
	took := ms(rtt)
	c.Request().Context().Value(inspectionKey{}).(*inspection).roundTrip.Store(&took)
}

// inspect serves a connection. Its goroutines end with it.
func inspect(ctx context.Context, c *middleware.Conn) error {
	s := ctx.Value(inspectionKey{}).(*inspection)
	if err := s.send(ctx, c, s.handshake(c)); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var others sync.WaitGroup
	defer others.Wait()
	defer cancel()
	if s.every > 0 {
		others.Go(func() { s.push(ctx, c) })
	}
	var late chan report
	if s.delay > 0 {
		late = make(chan report, maxLateReports)
		defer close(late)
		others.Go(func() { s.answerLate(ctx, c, late) })
	}
	return s.answer(ctx, c, late)
}

var errLate = &middleware.CloseError{
	Code: 1008, Reason: "too many reports wait for the delay of the query",
}

// answer reads until the connection ends. Messages are not kept, whatever their size. Reading goes
// on during delays, or the client could neither ping nor close.
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
		if s.delay > 0 {
			select {
			case late <- r:
				continue
			default:
				return errLate
			}
		}
		if err := s.send(ctx, c, s.resized(r)); err != nil {
			return err
		}
	}
}

// answerLate sends each report after the delay.
func (s *inspection) answerLate(ctx context.Context, c *middleware.Conn, late <-chan report) {
	for r := range late {
		due := time.After(time.Until(r.Time.Add(s.delay)))
		if await(ctx, due) != nil || s.send(ctx, c, s.resized(r)) != nil {
			return
		}
	}
}

// push sends a report every so often. A client that is slow to read gets fewer.
func (s *inspection) push(ctx context.Context, c *middleware.Conn) {
	ticks := time.Tick(s.every)
	for number := 1; await(ctx, ticks) == nil; number++ {
		if s.send(ctx, c, s.resized(s.report("push", number))) != nil {
			return
		}
	}
}

// send sends a message, and closes or cuts the connection if that was as many as the query says.
func (s *inspection) send(ctx context.Context, c *middleware.Conn, text []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.pace(ctx, len(text)); err != nil {
		return err
	}
	if err := c.WriteMessage(middleware.TextMessage, text); err != nil {
		return err
	}
	s.sent++
	switch {
	case !s.ends || s.sent != s.endAfter+1:
		return nil
	case s.closeCode == 0:
		return cut(s.w, c.Request())
	}
	return c.Close(s.closeCode, "the query has asked for this close")
}

// pace waits as long as the rate demands for n more bytes. A tenth of a second is granted ahead.
func (s *inspection) pace(ctx context.Context, n int) error {
	now := time.Now()
	if s.paid.Before(now) {
		s.paid = now
	}
	s.paid = s.paid.Add(time.Duration(n) * time.Second / maxInspectionBytes)
	return await(ctx, time.After(s.paid.Sub(now)-time.Second/10))
}

func await(ctx context.Context, c <-chan time.Time) error {
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type connKey struct{}

// keepConn lets handlers reach the connection of a request.
func keepConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// cut closes the socket. What TLS has to say at an end is not sent. Of HTTP/2, it resets the
// stream, for which its deadlines are final.
func cut(w http.ResponseWriter, r *http.Request) error {
	if r.ProtoMajor > 1 {
		stream, past := http.NewResponseController(w), time.Unix(1, 0)
		return errors.Join(stream.SetWriteDeadline(past), stream.SetReadDeadline(past))
	}
	conn := r.Context().Value(connKey{}).(net.Conn)
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	return conn.Close()
}
