package http2_test

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/url"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

// inspector runs examples/app, which inherits godebug, and connects to its inspector.
func inspector(t *testing.T, query string) (*program.App, *stream, *bufio.Reader) {
	t.Helper()
	app := program.StartApp(t, "-tls", "-compress")
	u, err := url.Parse(app.Web)
	if err != nil {
		t.Fatal(err)
	}
	c := dialAddress(t, u.Host, true)
	s := c.connect(":path= /ws/inspect?"+query, "sec-websocket-extensions= permessage-deflate")
	return app, s, bufio.NewReader(s)
}

// event reads a text of less than 64 KiB. It returns the payload as it was sent.
func event(t *testing.T, r *bufio.Reader) (text []byte, compressed bool) {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	size := uint16(head[1])
	if size == 126 {
		if err := binary.Read(r, binary.BigEndian, &size); err != nil {
			t.Fatal(err)
		}
	}
	text = make([]byte, size)
	if _, err := io.ReadFull(r, text); err != nil || head[0]&^0x40 != 0x81 {
		t.Fatalf("frame %x with %.100q, %v; want text", head, text, err)
	}
	return text, head[0]&0x40 != 0
}

func TestInspectorCloses(t *testing.T) {
	_, s, r := inspector(t, "close=4000")
	if text, compressed := event(t, r); !compressed {
		t.Errorf("the handshake is sent uncompressed: %q", text)
	}
	want := closeReply(4000, "the query has asked for this close")
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	s.send(closing(4000, ""))
	s.wantEnd()
}

// A cut resets the stream, after the report.
func TestInspectorCuts(t *testing.T) {
	_, s, r := inspector(t, "cut=1")
	event(t, r)
	s.send(hello)
	text, _ := event(t, r)
	var report struct {
		Event string
		Size  int
	}
	if err := json.Unmarshal(text, &report); err != nil || report.Event != "message" || report.Size != 5 {
		t.Errorf("%q: %+v, %v", text, report, err)
	}
	if b, err := r.ReadByte(); err == nil || err.Error() != "reset: INTERNAL_ERROR" {
		t.Errorf("byte %x, %v; want a reset", b, err)
	}
	again := s.client.connect(":path= /ws/inspect")
	event(t, bufio.NewReader(again))
}

// The end of the server ends pushes with 1001.
func TestInspectorShutdown(t *testing.T) {
	app, s, r := inspector(t, "every=10ms")
	event(t, r)
	event(t, r)
	app.Terminate()
	for {
		head, err := r.Peek(4)
		if err != nil {
			t.Fatal(err)
		}
		if head[0] == 0x88 {
			if head[2] != 0x03 || head[3] != 0xe9 {
				t.Errorf("close %x, want 1001", head)
			}
			break
		}
		event(t, r)
	}
	s.send(closing(1001, ""))
	app.Wait()
}

func TestInspectorRefuses(t *testing.T) {
	_, s, _ := inspector(t, "")
	for query, want := range map[string]string{"size=1TiB": "400", "status=503": "503"} {
		s.client.open(":path= /ws/inspect?" + query).wantStatus(want)
	}
}
