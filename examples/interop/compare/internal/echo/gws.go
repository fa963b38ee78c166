package echo

import (
	"net/http"
	"slices"

	"github.com/lxzan/gws"
)

// gwsEcho is the README's best practice with three exceptions: messages are not handled in
// parallel, which would change their order; there is no compression; and, as in the other servers,
// there are no deadlines.
func gwsEcho() http.HandlerFunc {
	upgrader := gws.NewUpgrader(&gwsHandler{hello: greeting()}, &gws.ServerOption{
		Recovery: gws.Recovery,
	})
	return func(w http.ResponseWriter, r *http.Request) {
		socket, err := upgrader.Upgrade(w, r)
		if err != nil {
			return
		}
		go socket.ReadLoop() // "Blocking prevents the context from being GC", says the README.
	}
}

type gwsHandler struct {
	gws.BuiltinEventHandler
	hello []byte
}

func (h *gwsHandler) OnMessage(socket *gws.Conn, message *gws.Message) {
	defer message.Close()
	_ = socket.WriteMessage(message.Opcode, slices.Concat(h.hello, message.Bytes()))
}
