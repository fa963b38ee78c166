package echo

import (
	"net/http"
	"slices"

	"github.com/olahol/melody"
)

func melodyEcho() http.HandlerFunc {
	hello := greeting()
	m := melody.New()
	m.Config.MaxMessageSize = readLimit
	m.HandleMessage(func(s *melody.Session, p []byte) {
		_ = s.Write(slices.Concat(hello, p))
	})
	m.HandleMessageBinary(func(s *melody.Session, p []byte) {
		_ = s.WriteBinary(slices.Concat(hello, p))
	})
	return func(w http.ResponseWriter, r *http.Request) {
		_ = m.HandleRequest(w, r) // melody answers failed handshakes itself.
	}
}
