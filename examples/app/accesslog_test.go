package main

import (
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
)

// The log has queries, but not the credentials in them or in paths. In the bubble, requests take no time.
func TestAccessLogMasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct{ uri, want string }{
			{"/users?", "GET /users? 204 0.000 ms - -\n"},
			{"/users?page=2&q=a%20b+c;d", "GET /users?page=2&q=a%20b+c;d 204 0.000 ms - -\n"},
			{"/ws/inspect?size=64KiB&close=4000@3", "GET /ws/inspect?size=64KiB&close=4000@3 204 0.000 ms - -\n"},
			{"/auth/token", "GET /auth/token 204 0.000 ms - -\n"},
			{"/ws?access_token=abc", "GET /ws?access_token=[masked] 204 0.000 ms - -\n"},
			{"/ws?a=1&Token=abc&b=2", "GET /ws?a=1&Token=[masked]&b=2 204 0.000 ms - -\n"},
			{"/ws?to%6Ben=abc", "GET /ws?[masked] 204 0.000 ms - -\n"},
			{"/ws?" + jwt, "GET /ws?[masked] 204 0.000 ms - -\n"},
			{"/ws?token=a?b", "GET /ws?token=[masked] 204 0.000 ms - -\n"},
			{"/ws?token=a\xffb&\xff", `GET /ws?token=[masked]&\xff 204 0.000 ms - -` + "\n"},
			{"/ws&token=abc", "GET /[masked] 204 0.000 ms - -\n"},
			{"/ws%3Ftoken=abc/a", "GET /[masked]/a 204 0.000 ms - -\n"},
			{"/ws;jsessionid=abc", "GET /[masked] 204 0.000 ms - -\n"},
			{"/a/" + jwt, "GET /a/[masked] 204 0.000 ms - -\n"},
			{"http://ada:pw@a.example/a", "GET http://[masked]/a 204 0.000 ms - -\n"},
		} {
			var printed strings.Builder
			h := accessLog(log.New(&printed, "", 0), http.HandlerFunc(
				func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", test.uri, nil))
			if got := printed.String(); got != test.want {
				t.Errorf("%.80q\ngot  %.200q\nwant %q", test.uri, got, test.want)
			}
		}
	})
}
