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
//
// Clients cannot create series: there are at most 50. A status is one of the eight that the
// middleware answers with. A code is one from 1000 to 1014 that RFC 6455 or its registry defines;
// the codes that applications, and so clients, can choose are counted as "3xxx" and "4xxx". All
// other values are counted as "other".
//
// A duration includes the closing handshake: up to CloseTimeout if the client does not answer.
//
// The file dashboard.json in this folder is a Grafana dashboard of these metrics.
package wsprometheus

import (
	"net/http"

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
	closes         *prometheus.CounterVec
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
	}
	messages := counters("websocket_messages_total", "WebSocket messages.", "direction", "type")
	bytes := counters("websocket_message_bytes_total",
		"Bytes of payload of WebSocket messages, as if uncompressed.", "direction", "type")
	m.received = newTraffic(messages, bytes, "received")
	m.sent = newTraffic(messages, bytes, "sent")
	for _, status := range statuses {
		m.handshakes.WithLabelValues(statusLabel(status))
	}
	for _, code := range closeCodes {
		m.closes.WithLabelValues(closeLabel(code))
	}
	m.collectors = []prometheus.Collector{
		m.open, m.duration, m.handshakes, messages, bytes, m.closes,
	}
	return m
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
		Closed: m.closed,
	}
}

func (m *Metrics) accepted(*middleware.Conn) {
	m.handshakes.WithLabelValues(statusLabel(http.StatusSwitchingProtocols)).Inc()
	m.open.Inc()
}

func (m *Metrics) refused(_ *http.Request, status int, _ string) {
	m.handshakes.WithLabelValues(statusLabel(status)).Inc()
}

func (m *Metrics) closed(_ *middleware.Conn, info middleware.CloseInfo) {
	m.open.Dec()
	m.duration.Observe(info.Duration.Seconds())
	m.closes.WithLabelValues(closeLabel(info.Code)).Inc()
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
