package echo

import (
	"net/http"
	"slices"

	"github.com/gorilla/websocket"
)

const gorillaModule = "github.com/gorilla/websocket"

// gorillaEcho is the baseline of the comparison: the loop of the package documentation.
func gorillaEcho(compress bool) http.HandlerFunc {
	upgrader := websocket.Upgrader{EnableCompression: compress}
	hello := greeting()
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			messageType, p, err := c.ReadMessage()
			if err != nil {
				return
			}
			if err := c.WriteMessage(messageType, slices.Concat(hello, p)); err != nil {
				return
			}
		}
	}
}
