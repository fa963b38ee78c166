package echo

import (
	"context"
	"net/http"
	"slices"

	"github.com/coder/websocket"
)

func coderEcho() http.HandlerFunc {
	hello := greeting()
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(readLimit)
		ctx := context.Background() // The README advises against r.Context().
		for {
			messageType, p, err := c.Read(ctx)
			if err != nil {
				return
			}
			if err := c.Write(ctx, messageType, slices.Concat(hello, p)); err != nil {
				return
			}
		}
	}
}
