package echo

import (
	"net"
	"net/http"
	"slices"

	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"
)

const nbioModule = "github.com/lesismal/nbio"

// nbioEcho is the README's example for net/http, which also runs on nbio's own engine.
func nbioEcho() http.HandlerFunc {
	logging.SetLevel(logging.LevelError)
	hello := greeting()
	upgrader := websocket.NewUpgrader()
	upgrader.OnMessage(func(c *websocket.Conn, messageType websocket.MessageType, p []byte) {
		_ = c.WriteMessage(messageType, slices.Concat(hello, p))
	})
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = upgrader.Upgrade(w, r, nil) // nbio answers failed handshakes itself.
	}
}

// nbioServe serves with nbio's engine, which polls connections instead of using goroutines.
func nbioServe(l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/ws", nbioEcho())
	engine := nbhttp.NewEngine(nbhttp.Config{
		Network:                 "tcp",
		Addrs:                   []string{l.Addr().String()},
		Listen:                  func(string, string) (net.Listener, error) { return l, nil },
		ReleaseWebsocketPayload: true,
		Handler:                 mux,
	})
	if err := engine.Start(); err != nil {
		return err
	}
	engine.Wait()
	return nil
}
