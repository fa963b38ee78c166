package upgrade_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/wsecho/middleware/internal/upgrade"
)

// streamWriter is the ResponseWriter of a server with streams. It notes what is called.
type streamWriter struct {
	calls
	header http.Header
	sent   http.Header // when the status was set
}

func (w *streamWriter) Header() http.Header { return w.header }

func (w *streamWriter) WriteHeader(status int) {
	if w.sent == nil {
		w.sent = w.header.Clone()
	}
	w.calls.WriteHeader(status)
}

func (w *streamWriter) FlushError() error {
	w.list = append(w.list, "Flush")
	return nil
}

func (w *streamWriter) SetReadDeadline(time.Time) error {
	w.list = append(w.list, "SetReadDeadline")
	return nil
}

func (w *streamWriter) SetWriteDeadline(time.Time) error {
	w.list = append(w.list, "SetWriteDeadline")
	return nil
}

func connectRequest() *http.Request {
	r := httptest.NewRequest("CONNECT", "/", nil)
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0
	r.Body = io.NopCloser(strings.NewReader("hello"))
	return r
}

// A stream is reached through wrappers that have Unwrap or embed what they wrap. Nothing is called
// before it is accepted.
func TestStreamWriters(t *testing.T) {
	const cannot = "the HTTP/2 stream cannot be reached through a %: put the WebSocket middleware outside of whatever made it, or give it an Unwrap method"
	for _, test := range []struct {
		name string
		wrap func(w writer) writer
		want string // the type that hides the stream
	}{
		{"the server's", func(w writer) writer { return w }, ""},
		{"Unwrap", func(w writer) writer { return &unwrapOnly{w, ignore} }, ""},
		{"Unwrap over Unwrap", func(w writer) writer { return &unwrapOnly{&unwrapOnly{w, ignore}, ignore} }, ""},
		{"embedded", func(w writer) writer { return hidesAll{w} }, ""},
		{"WriteHeader put off", func(w writer) writer { return &putsOff{unwrapOnly: unwrapOnly{w, ignore}} }, ""},
		{"no stream", func(writer) writer { return httptest.NewRecorder() }, "*httptest.ResponseRecorder"},
		{"Unwrap over no stream", func(writer) writer { return &unwrapOnly{httptest.NewRecorder(), ignore} }, "*upgrade_test.unwrapOnly"},
		{"hidden", func(w writer) writer { return &named{nil, nil} }, "*upgrade_test.named"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := &streamWriter{header: http.Header{}}
			w, r := test.wrap(server), connectRequest()
			err := upgrade.Check(w, r)
			if len(server.list) > 0 {
				t.Errorf("called: %q", server.list)
			}
			if test.want != "" {
				if want := strings.Replace(cannot, "%", test.want, 1); err == nil || err.Error() != want {
					t.Errorf("got %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			conn, received, err := upgrade.Accept(w, r, patience)
			if err != nil || received != nil {
				t.Fatalf("got %q, %v", received, err)
			}
			if got, err := io.ReadAll(conn); string(got) != "hello" || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
			upgrade.Wait(conn)
			if list := slices.Compact(server.list); !slices.Equal(list, []string{
				"WriteHeader 200", "SetReadDeadline", "SetWriteDeadline", "Flush",
			}) {
				t.Errorf("called: %q", list)
			}
		})
	}
}

// The 200 has the headers of outer layers but those of a body and of the connection.
func TestStreamHead(t *testing.T) {
	server := &streamWriter{header: http.Header{
		"Set-Cookie": {"a=1"}, "X-Frame-Options": {"DENY"},
		"Connection": {"close"}, "Keep-Alive": {"timeout=5"}, "Upgrade": {"h2c"}, "Proxy-Connection": {"close"},
		"Content-Type": {"text/html"}, "Content-Length": {"5"}, "Content-Encoding": {"gzip"},
		"Transfer-Encoding": {"chunked"}, "Trailer": {"X-Sum"},
	}}
	conn, _, err := upgrade.Accept(server, connectRequest(), patience)
	if err != nil {
		t.Fatal(err)
	}
	upgrade.Wait(conn)
	if len(server.sent) != 2 || server.sent.Get("Set-Cookie") != "a=1" || server.sent.Get("X-Frame-Options") != "DENY" {
		t.Errorf("sent %q", server.sent)
	}
}

type stuck struct{ *streamWriter }

func (w stuck) FlushError() error { return io.ErrClosedPipe }

// If the answer cannot be sent, the connection is closed.
func TestStreamHeadFails(t *testing.T) {
	conn, _, err := upgrade.Accept(stuck{&streamWriter{header: http.Header{}}}, connectRequest(), patience)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 5)); n > 0 || err == nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
	upgrade.Wait(conn)
}
