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
		{"X-Otp", "abc", "[masked]"},
		{"X-Saml-Assertion", "abc", "[masked]"},
		{"X-Xsrf", "abc", "[masked]"},
		{"X-Access", "bearer\tabc", "[masked]"},
		{"X-Access", `Digest username="a", response="abc"`, "[masked]"},
		{"X-Access", "x=%42earer abc", "[masked]"},
		{"Referer", "https://a.example/p?x=1&Access_Token=abc&y=2", "[masked]"},
		{"Referer", "https://a.example/?next=https%3A%2F%2Fb.example%2F%3Ftoken%3Dabc&y=2", "[masked]"},
		{"Referer", "https://a.example/?x=1;token=abc", "[masked]"},
		{"Referer", "https://auth.example/?x=1&y=2", "[masked]"}, // which is one too many
		{"Referer", "https://a.example/?x=1&y=2", "https://a.example/?x=1&y=2"},
		{"X-Original-Uri", "/ws?api%5Fkey=abc", "[masked]"},
		{"X-Forwarded-Uri", "/cb?code=abc", "[masked]"},
		{"X-Forwarded-Url", "https://ada:pw@a.example/", "[masked]"},
		{"X-Forwarded-Url", "//ada:p@w@a.example/", "[masked]"},
		{"X-Forwarded-Url", `https:\/\/ada:pw@a.example\/`, "[masked]"},
		{"X-Upstream", "postgres://ada:a/pw@a.example", "[masked]"},
		{"Forwarded", "for=192.0.2.1;secret=abc, for=10.0.0.1", "[masked]"},
		{"X-Context", `{"tokens": ["a", "abc"]}`, "[masked]"},
		{"X-Context", `{"a":"{\"token\":\"x abc\"}"}`, "[masked]"},
		{"X-Context", `{"a": 1}`, `{"a": 1}`},
		{"X-Claims", "eyJhbGciOiJkaXIifQ..aXY.Y3Q.dGFn", "[masked]"}, // encrypted, without a key
		{"X-Claims", "ewogImFsZyI6IDF9.e30.c2ln", "[masked]"},        // with line breaks
		{"X-Claims", "v1_" + jwt, "[masked]"},
		{"User-Agent", jwt, "[masked]"},
		{"User-Agent", "Authbot/1.0", "Authbot/1.0"},
		{"Origin", "https://auth.example", "https://auth.example"},
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
		{"%74oken=abc", "[masked]"},
		{"%74oken=head;abc&y=1", "[masked]&y=1"},
		{"key=&sessionid=1&auth=2", "key=[masked]&sessionid=[masked]&auth=[masked]"},
		{"client_secret=1&passwd=2&ticket=3&pw=4", "client_secret=[masked]&passwd=[masked]&ticket=[masked]&pw=[masked]"},
		{"device_code=1&oobCode=2&totp=3", "device_code=[masked]&oobCode=[masked]&totp=[masked]"},
		{"a[token][x]=abc", "a[token][x]=[masked]"},
		{"x=" + jwt, "x=[masked]"},
		{jwt, "[masked]"},
		{jwt + "=", "[masked]"},
		{"x=Bearer%20abc&y=1", "x=[masked]&y=1"},
		{"x=bearer+abc", "x=[masked]"},
		{"bearer=abc", "bearer=[masked]"},
		{"x=%42earer%20abc", "x=[masked]"},
		{"x=" + strings.ReplaceAll(jwt, ".", "%2E"), "x=[masked]"},
		{"next=%2Fp%3Ftoken%3Dabc&y=%2Fp%3Fx%3D1", "next=[masked]&y=%2Fp%3Fx%3D1"},
		{"next=%2Fp%3Fto%3D%252Fq%253Ftoken%253Dabc", "next=[masked]"}, // and what is in that
		{"next=https%3A%2F%2Fada%3Apw%40a.example%2F", "next=[masked]"},
		{"a=%252525252525", "a=[masked]"}, // escaped too often
		{"id=1&id=2&x=100%", "id=1&id=2&x=100%"},
		{"x=1;token=abc&y=1", "x=[masked]&y=1"},
		{"auth/x=abc&y=1&token:1=abc", "[masked]&y=1&[masked]"},
		{"token=a;b,c&y=1", "token=[masked]&y=1"},
		{"token%3Aabc&y", "[masked]&y"},
		{`x={"token":"abc"}`, "x=[masked]"},
		{"ping=1", "ping=[masked]"}, // which is one too many
	} {
		if got := maskQuery(test.raw); got != test.want {
			t.Errorf("%s: %s, want %s", test.raw, got, test.want)
		}
	}
}

func TestMaskSubprotocols(t *testing.T) {
	for _, test := range []struct{ lines, want, selected, shown string }{
		{"chat, v2", "chat, v2", "chat", "chat"},
		{"bearer, abc", "bearer, [masked]", "bearer", "bearer"},
		{"Bearer,abc,chat", "Bearer, [masked], [masked]", "abc", "[masked]"},
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
		{"otp, abc", "otp, [masked]", "otp", "otp"},
		{"basic.YWRhOnB3", "[masked]", "basic.YWRhOnB3", "[masked]"},
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
