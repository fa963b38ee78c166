package echo

import (
	"net/http"
	"slices"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// gobwasEcho is the README's higher-level example, which returns from the HTTP handler so that its
// memory is freed.
func gobwasEcho() http.HandlerFunc {
	hello := greeting()
	return func(w http.ResponseWriter, r *http.Request) {
		conn, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			for {
				p, op, err := wsutil.ReadClientData(conn)
				if err != nil {
					return
				}
				if err := wsutil.WriteServerMessage(conn, op, slices.Concat(hello, p)); err != nil {
					return
				}
			}
		}()
	}
}
