package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"

func TestMaskHeaders(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"Authorization", "Basic YWRhOnB3", "[masked]"},
		{"Proxy-Authorization", "Bearer abc", "[masked]"},
		{"Cookie", "a=b; theme=dark", "[masked]"},
		{"Set-Cookie", "a=b", "[masked]"},
		{"X-Api-Key", "abc", "[masked]"},
		{"X-Amz-Security-Token", "abc", "[masked]"},
		{"X-Client-Secret", "abc", "[masked]"},
		{"X-Session", "abc", "[masked]"},
		{"X-Bearer", "abc", "[masked]"},
		{"X-Auth-Request-User", "ada", "[masked]"},
		{"X-Password", "abc", "[masked]"},
		{"Apikey", "abc", "[masked]"},
		{"X-Claims", jwt, "[masked]"},
		{"X-Forwarded-Access", "bearer  abc; x", "[masked]; x"},
		{
			"Referer", "https://a.example/p?x=1&Access_Token=abc&y=2",
			"https://a.example/p?x=1&Access_Token=[masked]&y=2",
		},
		{"X-Original-Uri", "/ws?api%5Fkey=abc", "/ws?api%5Fkey=[masked]"},
		{"X-Forwarded-Url", "https://ada:pw@a.example/", "https[masked]a.example/"},
		{"X-Forwarded-Url", "https://ada:p@w@a.example/", "https[masked]a.example/"},
		{"Referer", "https://a.example/?x=1;token=abc", "https://a.example/?x=1;token=[masked]"},
		{
			"Referer", "https://a.example/?next=https%3A%2F%2Fb.example%2F%3Ftoken%3Dabc&y=2",
			"https://a.example/?next=[masked]&y=2",
		},
		{
			"X-Urls", "https://a.example/?x=1, https://b.example/?token=abc",
			"https://a.example/?x=1, https://b.example/?token=[masked]",
		},
		{"X-Original-Url", "https://a.example/#access_token=abc", "https://a.example/#access_token=[masked]"},
		{"Forwarded", "for=192.0.2.1;secret=abc, for=10.0.0.1", "for=192.0.2.1;secret=[masked], for=10.0.0.1"},
		{"Referer", "https://auth.example/?x=1&y=2", "https://auth.example/?x=1&y=2"},
		{"X-Query-String", "a=1&api_key=abc", "a=1&api_key=[masked]"},
		{"X-Context", `{"token": "abc", "a": 1}`, `{"token": [masked], "a": 1}`},
		{"X-Context", `{"token":"a\" b","a":1}`, `{"token":[masked],"a":1}`},
		{"X-Saml-Assertion", "abc", "[masked]"},
		{"X-Xsrf", "abc", "[masked]"},
		{"X-Forwarded-Uri", "/cb?code=abc&sig=abc&decode=1", "/cb?code=[masked]&sig=[masked]&decode=1"},
		{"X-Claims", "eyJhbGciOiJkaXIifQ..aXY.Y3Q.dGFn", "[masked]"}, // encrypted, without a key
		{"X-Claims", "v1_" + jwt, "v1_[masked]"},
		{"Forwarded", "for=192.0.2.1;proto=https", "for=192.0.2.1;proto=https"},
		{"Sec-Websocket-Key", "a2V5a2V5a2V5keyaKEY1aQ==", "a2V5a2V5a2V5keyaKEY1aQ=="},
		{"Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="},
		{"User-Agent", "Mozilla/5.0 (X11; Linux)", "Mozilla/5.0 (X11; Linux)"},
		{"X-Forwarded-For", "192.0.2.1, 10.0.0.1", "192.0.2.1, 10.0.0.1"},
		{"Origin", "https://a.example", "https://a.example"},
		{
			"Sec-Websocket-Extensions", "permessage-deflate; client_max_window_bits",
			"permessage-deflate; client_max_window_bits",
		},
	} {
		h := http.Header{test.name: {test.value, test.value}}
		got := maskHeaders(h)[test.name]
		if len(got) != 2 || got[0] != test.want || got[1] != test.want {
			t.Errorf("%s: %s\ngot  %q\nwant %q twice", test.name, test.value, got, test.want)
		}
		if h[test.name][0] != test.value {
			t.Errorf("%s: %q in the request", test.name, h[test.name])
		}
	}
}

func TestMaskQuery(t *testing.T) {
	for _, test := range []struct{ raw, want string }{
		{"", ""},
		{"a=1&b=%20&c", "a=1&b=%20&c"},
		{"token=abc", "token=[masked]"},
		{"b=2&ACCESS_TOKEN=a=b&a=1", "b=2&ACCESS_TOKEN=[masked]&a=1"},
		{"%74oken=abc", "%74oken=[masked]"},
		{"key=&sessionid=1&auth=2", "key=[masked]&sessionid=[masked]&auth=[masked]"},
		{"client_secret=1&passwd=2&ticket=3", "client_secret=[masked]&passwd=[masked]&ticket=[masked]"},
		{"x=" + jwt, "x=[masked]"},
		{jwt, "[masked]"},
		{"x=Bearer%20abc&y=1", "x=[masked]&y=1"},
		{"x=bearer+abc", "x=[masked]"},
		{"bearer=abc", "bearer=[masked]"},
		{"x=%42earer%20abc", "x=[masked]"},
		{"x=" + strings.ReplaceAll(jwt, ".", "%2E"), "x=[masked]"},
		{"next=%2Fp%3Ftoken%3Dabc&y=%2Fp%3Fx%3D1", "next=[masked]&y=%2Fp%3Fx%3D1"},
		{"next=%2Fp%3Fto%3D%252Fq%253Ftoken%253Dabc", "next=[masked]"}, // and what is in that
		{"next=https%3A%2F%2Fada%3Apw%40a.example%2F", "next=[masked]"},
		{"id=1&id=2&x=100%", "id=1&id=2&x=100%"},
		{"auth/x=abc&y=1&token:1=abc", "auth/x=[masked]&y=1&token:1=[masked]"},
		{"token=a;b,c&y=1", "token=[masked]&y=1"},
	} {
		if got := maskText(test.raw, 100); got != test.want {
			t.Errorf("%s: %s, want %s", test.raw, got, test.want)
		}
	}
}

func TestMaskSubprotocols(t *testing.T) {
	for _, test := range []struct{ lines, want, selected, shown string }{
		{"chat, v2", "chat, v2", "chat", "chat"},
		{"bearer, abc", "bearer, [masked]", "bearer", "bearer"},
		{"Bearer,abc,chat", "Bearer,[masked],[masked]", "abc", "[masked]"},
		{"chat, bearer, abc", "chat, bearer, [masked]", "chat", "chat"},
		{"bearer|abc", "bearer|[masked]", "abc", "[masked]"},
		{"token, abc", "token, [masked]", "", ""},
		{"access_token, abc", "access_token, [masked]", "", ""},
		{"id_token, abc", "[masked], [masked]", "", ""},
		{"chat, x-api-key, abc", "chat, [masked], [masked]", "chat", "chat"},
		{"Basic, YWRhOnB3", "Basic, [masked]", "Basic", "Basic"},
		{
			"base64url.bearer.authorization.k8s.io.YWJj, v4.channel.k8s.io",
			"[masked], v4.channel.k8s.io", "v4.channel.k8s.io", "v4.channel.k8s.io",
		},
		{"v4, base64url.bearer.authorization.k8s.io.YWJj", "v4, [masked]", "v4", "v4"},
		{"auth-abc", "[masked]", "auth-abc", "[masked]"},
		{jwt, "[masked]", jwt, "[masked]"},
	} {
		h := http.Header{"Sec-Websocket-Protocol": strings.Split(test.lines, "|")}
		shown := maskHeaders(h)
		if got := strings.Join(shown["Sec-Websocket-Protocol"], "|"); got != test.want {
			t.Errorf("%s: %s, want %s", test.lines, got, test.want)
		}
		if got := maskSelected(test.selected, shown); got != test.shown {
			t.Errorf("%s: selected %s, want %s", test.lines, got, test.shown)
		}
	}
}

// Longer texts are masked as a whole: looking through them costs too much.
func TestMaskLong(t *testing.T) {
	long := strings.Repeat("x", 8<<10)
	if got := maskText(long, 8<<10); got != long {
		t.Errorf("8 KiB: %.50q", got)
	}
	if got := maskText(long+"x", 8<<10); got != "[masked]" {
		t.Errorf("more: %.50q", got)
	}
}

// No part of what is sent has the credentials, unless a flag says so.
func TestInspectCredentials(t *testing.T) {
	header := http.Header{"Authorization": {"Basic s3cr3t"}, "Cookie": {"id=s3cr3t"}}
	for _, flag := range []string{"false", "true"} {
		a := start(t, "-inspect-credentials="+flag)
		dialer := websocket.Dialer{
			HandshakeTimeout: timeout, Subprotocols: []string{"bearer.s3cr3t", "bearer", "s3cr3t"},
		}
		c, _, err := dialer.Dial(a.ws+"/inspect?token=s3cr3t", header)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var h handshakeReport
		text := string(readJSON(t, c, &h))
		want := map[string]int{"false": 0, "true": 6}[flag]
		if got := strings.Count(text, "s3cr3t"); got != want {
			t.Errorf("-inspect-credentials=%s: %d credentials, want %d:\n%s", flag, got, want, text)
		}
	}
}
