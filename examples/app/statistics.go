package main

import (
	"expvar"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"example.com/wsecho/middleware"
)

// statistics are the variable "websockets" of /debug/vars. It is not published with [expvar], whose
// names are those of the process.
type statistics struct {
	open       expvar.Int
	refused    expvar.Map // by status
	closed     expvar.Map // by cause
	roundTrips expvar.Map // count and sum in seconds, and how many took up to so long
}

func (s *statistics) hooks() middleware.Hooks {
	return middleware.Hooks{
		Accepted: func(*middleware.Conn) { s.open.Add(1) },
		Refused: func(_ *http.Request, status int, _ string) {
			s.refused.Add(strconv.Itoa(status), 1)
		},
		Pong: func(_ *middleware.Conn, rtt time.Duration) {
			s.roundTrips.Add("count", 1)
			s.roundTrips.AddFloat("sum", rtt.Seconds())
			s.roundTrips.Add(rttClass(rtt), 1)
		},
		Closed: func(_ *middleware.Conn, info middleware.CloseInfo) {
			s.open.Add(-1)
			s.closed.Add(info.Cause(), 1)
		},
	}
}

func rttClass(rtt time.Duration) string {
	for limit := time.Millisecond; limit <= 10*time.Second; limit *= 10 {
		if rtt <= limit {
			return "up to " + limit.String()
		}
	}
	return "more"
}

// ServeHTTP writes the published variables, as [expvar.Handler] does, and websockets.
func (s *statistics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	var own expvar.Map
	own.Set("open", &s.open)
	own.Set("refused", &s.refused)
	own.Set("closed", &s.closed)
	own.Set("round_trips", &s.roundTrips)
	fmt.Fprint(w, "{\n")
	expvar.Do(func(v expvar.KeyValue) { fmt.Fprintf(w, "%q: %s,\n", v.Key, v.Value) })
	fmt.Fprintf(w, "%q: %s\n}\n", "websockets", &own)
}
