package wsprometheus_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	wsprometheus "example.com/wsecho/adapters/prometheus"
	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func Example() {
	registry := prometheus.NewRegistry()
	metrics := wsprometheus.New()
	registry.MustRegister(metrics)
	ws := middleware.New(middleware.Options{Path: "/ws", Hooks: metrics.Hooks()})

	mux := http.NewServeMux() // the app
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := httptest.NewServer(ws.Handler(mux))
	defer server.Close()

	greet(strings.Replace(server.URL, "http", "ws", 1) + "/ws")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := ws.Shutdown(ctx); err != nil { // waits until the connection is counted as closed
		log.Fatal(err)
	}
	printCounted(server.URL + "/metrics")
	// Output:
	// websocket_closes_total{code="1000"} 1
	// websocket_connection_duration_seconds_count 1
	// websocket_ends_total{cause="client"} 1
	// websocket_handshakes_total{status="101"} 1
	// websocket_message_bytes_total{direction="received",type="text"} 21
	// websocket_message_bytes_total{direction="sent",type="text"} 54
	// websocket_messages_total{direction="received",type="text"} 1
	// websocket_messages_total{direction="sent",type="text"} 1
}

// greet sends a message and a close frame, and reads until the connection ends.
func greet(address string) {
	client, _, err := websocket.DefaultDialer.Dial(address, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	hello := []byte("Hello from the client")
	closeFrame := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := client.WriteMessage(websocket.TextMessage, hello); err != nil {
		log.Fatal(err)
	}
	if err := client.WriteMessage(websocket.CloseMessage, closeFrame); err != nil {
		log.Fatal(err)
	}
	for err == nil {
		_, _, err = client.ReadMessage()
	}
}

// printCounted prints the metrics that are not 0, except those that depend on timing.
func printCounted(address string) {
	resp, err := http.Get(address)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		line := lines.Text()
		timed := strings.Contains(line, "_bucket{") || strings.Contains(line, "_sum ")
		if !timed && !strings.HasPrefix(line, "#") && !strings.HasSuffix(line, " 0") {
			fmt.Println(line)
		}
	}
}
