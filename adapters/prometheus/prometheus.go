// Package wsprometheus exports Prometheus metrics of WebSocket connections.
//
//	metrics := wsprometheus.New()
//	prometheus.MustRegister(metrics)
//	ws := middleware.New(middleware.Options{Hooks: metrics.Hooks()})
//
// Every metric is exported from the start, with value 0:
//
//	websocket_connections_open                            gauge
//	websocket_connection_duration_seconds                 histogram, 100 ms to a day
//	websocket_handshakes_total{status}                    101 if accepted, else that of the refusal
//	websocket_messages_total{direction,type}              received or sent; text or binary
//	websocket_message_bytes_total{direction,type}         of payload, uncompressed
//	websocket_closes_total{code}                          1006 if there was no close frame
//	websocket_ends_total{cause}                           see CloseInfo.Cause
//	websocket_refusals_total{reason}                      a class of reasons
//	websocket_ping_round_trip_seconds                     histogram, 1 ms to 10 s
//
// Clients cannot create series: there are at most 86. A status is one of the nine that the
// middleware answers with. A code is one from 1000 to 1014 that RFC 6455 or its registry defines;
// the codes that applications, and so clients, can choose are counted as "3xxx" and "4xxx". A
// cause is one of [middleware.CloseInfo.Cause]. A reason is "client limit" (429), "limit" or
// "shutdown" (503), "origin" (403), "malformed" (400), "method" (405), "version" (426),
// "http version" (505) or "error" (500). All other values are counted as "other".
//
// A duration includes the closing handshake: up to CloseTimeout if the client does not answer. A
// round trip includes the time that a ping waits behind data: pings have a payload of 8 bytes.
//
// Hooks of your own are added with [middleware.JoinHooks].
//
// In this folder, dashboard.json is a Grafana dashboard of these metrics, and alerts.yaml has rules
// for Prometheus.
package wsprometheus

import (
	"net/http"
	"time"

	"example.com/wsecho/middleware"
	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the metrics of one endpoint, or the totals of several. They are a
// [prometheus.Collector], which the program registers, with a label if it has several endpoints.
// The dashboard uses the label "endpoint":
//
//	chat := prometheus.WrapRegistererWith(prometheus.Labels{"endpoint": "/chat"}, registry)
//	chat.MustRegister(metrics)
type Metrics struct {
	open           prometheus.Gauge
	duration       prometheus.Histogram
	handshakes     *prometheus.CounterVec
	received, sent traffic
	closes, ends   *prometheus.CounterVec
	refusals       *prometheus.CounterVec
	roundTrips     prometheus.Histogram
	collectors     []prometheus.Collector
}

var _ prometheus.Collector = (*Metrics)(nil)

// New returns unregistered metrics.
func New() *Metrics {
	m := &Metrics{
		open: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "websocket_connections_open",
			Help: "WebSocket connections that are open.",
		}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "websocket_connection_duration_seconds",
			Help:    "How long WebSocket connections were open, observed when they end.",
			Buckets: []float64{.1, 1, 5, 15, 60, 300, 900, 3600, 10800, 21600, 43200, 86400},
		}),
		handshakes: counters("websocket_handshakes_total",
			"WebSocket handshakes by the HTTP status of the answer, 101 if accepted.", "status"),
		closes: counters("websocket_closes_total",
			"WebSocket connections that have ended, by close code.", "code"),
		ends: counters("websocket_ends_total",
			"WebSocket connections that have ended, by what ended them.", "cause"),
		refusals: counters("websocket_refusals_total",
			"WebSocket handshakes that were refused, by the class of the reason.", "reason"),
		roundTrips: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "websocket_ping_round_trip_seconds",
			Help:    "Time from the ping to its pong of WebSocket connections.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
	}
	messages := counters("websocket_messages_total", "WebSocket messages.", "direction", "type")
	bytes := counters("websocket_message_bytes_total",
		"Bytes of payload of WebSocket messages, as if uncompressed.", "direction", "type")
	m.received = newTraffic(messages, bytes, "received")
	m.sent = newTraffic(messages, bytes, "sent")
	m.collectors = []prometheus.Collector{
		m.open, m.duration, m.handshakes, messages, bytes, m.closes, m.ends, m.refusals, m.roundTrips,
	}
	m.begin()
	return m
}

// begin creates the series.
func (m *Metrics) begin() {
	for _, status := range statuses {
		m.handshakes.WithLabelValues(statusLabel(status))
	}
	for _, code := range closeCodes {
		m.closes.WithLabelValues(closeLabel(code))
	}
	for _, cause := range causes {
		m.ends.WithLabelValues(cause)
	}
	for _, reason := range reasons {
		m.refusals.WithLabelValues(reason)
	}
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// Describe implements [prometheus.Collector].
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.collectors {
		c.Describe(ch)
	}
}

// Collect implements [prometheus.Collector].
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.collectors {
		c.Collect(ch)
	}
}

// Hooks returns the [middleware.Options.Hooks] that update m. A message costs two atomic
// additions and no allocation.
func (m *Metrics) Hooks() middleware.Hooks {
	return middleware.Hooks{
		Accepted: m.accepted,
		Refused:  m.refused,
		Received: func(_ *middleware.Conn, t middleware.MessageType, size int64) {
			m.received.add(t, size)
		},
		Sent: func(_ *middleware.Conn, t middleware.MessageType, size int64) {
			m.sent.add(t, size)
		},
		Pong: func(_ *middleware.Conn, rtt time.Duration) {
			m.roundTrips.Observe(rtt.Seconds())
		},
		Closed: m.closed,
	}
}

func (m *Metrics) accepted(*middleware.Conn) {
	m.handshakes.WithLabelValues(statusLabel(http.StatusSwitchingProtocols)).Inc()
	m.open.Inc()
}

func (m *Metrics) refused(_ *http.Request, status int, reason string) {
	m.handshakes.WithLabelValues(statusLabel(status)).Inc()
	m.refusals.WithLabelValues(reasonLabel(status, reason)).Inc()
}

func (m *Metrics) closed(_ *middleware.Conn, info middleware.CloseInfo) {
	m.open.Dec()
	m.duration.Observe(info.Duration.Seconds())
	m.closes.WithLabelValues(closeLabel(info.Code)).Inc()
	m.ends.WithLabelValues(causeLabel(info.Cause())).Inc()
}

// traffic has the counters of one direction, so that messages need no lookup by label.
type traffic struct{ text, binary volume }

type volume struct{ messages, bytes prometheus.Counter }

func newTraffic(messages, bytes *prometheus.CounterVec, direction string) traffic {
	of := func(kind string) volume {
		return volume{
			messages: messages.WithLabelValues(direction, kind),
			bytes:    bytes.WithLabelValues(direction, kind),
		}
	}
	return traffic{text: of("text"), binary: of("binary")}
}

func (t *traffic) add(kind middleware.MessageType, size int64) {
	v := &t.text
	if kind == middleware.BinaryMessage {
		v = &t.binary
	}
	v.messages.Inc()
	v.bytes.Add(float64(size))
}
