package http2_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// client is a connection of HTTP/2 with any number of streams.
type client struct {
	t    testing.TB
	conn net.Conn

	mu       sync.Mutex // also of the streams
	changed  *sync.Cond
	settings map[http2.SettingID]uint32 // of the server
	framer   *http2.Framer              // mu is for writing
	window   int                        // for sending
	taken    uint32                     // received since the last WINDOW_UPDATE
	next     uint32
	streams  map[uint32]*stream
	goAway   bool
	err      error // of the reading goroutine
	ended    chan struct{}
}

// stream is a stream of a client. Its methods Read and Write carry bytes of a WebSocket.
type stream struct {
	*client
	id       uint32
	window   int
	taken    uint32
	deadline time.Time
	header   http.Header // of the response; nil until it arrives
	data     bytes.Buffer
	frames   int  // DATA frames received
	end      bool // END_STREAM
	reset    *http2.ErrCode
	stalled  bool // no WINDOW_UPDATE is sent
}

const initialWindow = 65535

// dial connects and waits for the settings of the server.
func dial(t testing.TB, s *httptest.Server, settings ...http2.Setting) *client {
	t.Helper()
	return dialAddress(t, s.Listener.Addr().String(), s.TLS != nil, settings...)
}

func dialAddress(
	t testing.TB, address string, secure bool, settings ...http2.Setting,
) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if secure {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	}
	return newClient(t, conn, settings...)
}

func newClient(t testing.TB, conn net.Conn, settings ...http2.Setting) *client {
	t.Helper()
	c := &client{
		t: t, conn: conn, framer: http2.NewFramer(conn, conn), next: 1, window: initialWindow,
		streams: make(map[uint32]*stream), ended: make(chan struct{}),
	}
	c.changed = sync.NewCond(&c.mu)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := c.framer.WriteSettings(settings...); err != nil {
		t.Fatal(err)
	}
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	go c.receive()
	t.Cleanup(c.close)
	c.waitFor("settings", func() bool { return c.settings != nil })
	return c
}

func (c *client) close() {
	_ = c.conn.Close()
	<-c.ended
}

// waitFor waits until the condition holds, which is called with mu locked.
func (c *client) waitFor(what string, condition func() bool) {
	c.t.Helper()
	if err := c.await(time.Now().Add(timeout), condition); err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
}

// await waits until the condition holds, the connection ends, or the deadline is exceeded.
func (c *client) await(deadline time.Time, condition func() bool) error {
	timer := time.AfterFunc(time.Until(deadline), c.changed.Broadcast)
	defer timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !condition() {
		switch {
		case c.err != nil:
			return c.err
		case !time.Now().Before(deadline):
			return os.ErrDeadlineExceeded
		}
		c.changed.Wait()
	}
	return nil
}

// receive reads frames until the connection ends.
func (c *client) receive() {
	defer close(c.ended)
	for {
		f, err := c.framer.ReadFrame()
		c.mu.Lock()
		if err != nil {
			c.err = err
		} else {
			c.process(f)
		}
		c.mu.Unlock()
		c.changed.Broadcast()
		if err != nil {
			return
		}
	}
}

func (c *client) process(f http2.Frame) {
	s := c.streams[f.Header().StreamID]
	switch f := f.(type) {
	case *http2.SettingsFrame:
		c.processSettings(f)
	case *http2.PingFrame:
		if !f.IsAck() {
			_ = c.framer.WritePing(true, f.Data)
		}
	case *http2.WindowUpdateFrame:
		if s != nil {
			s.window += int(f.Increment)
		} else if f.StreamID == 0 {
			c.window += int(f.Increment)
		}
	case *http2.GoAwayFrame:
		c.goAway = true
	case *http2.MetaHeadersFrame:
		if s.header == nil {
			s.header = http.Header{}
		}
		for _, field := range f.Fields {
			s.header[field.Name] = append(s.header[field.Name], field.Value)
		}
		s.end = s.end || f.StreamEnded()
	case *http2.DataFrame:
		s.processData(f)
	case *http2.RSTStreamFrame:
		code := f.ErrCode
		s.reset = &code
	}
}

func (c *client) processSettings(f *http2.SettingsFrame) {
	if f.IsAck() {
		return
	}
	c.settings = make(map[http2.SettingID]uint32)
	_ = f.ForeachSetting(func(s http2.Setting) error {
		c.settings[s.ID] = s.Val
		return nil
	})
	_ = c.framer.WriteSettingsAck()
}

func (s *stream) processData(f *http2.DataFrame) {
	s.data.Write(f.Data())
	s.frames++
	s.end = s.end || f.StreamEnded()
	if s.stalled {
		return
	}
	s.taken, s.client.taken = s.taken+f.Length, s.client.taken+f.Length
	if s.client.taken >= initialWindow/2 {
		_ = s.framer.WriteWindowUpdate(0, s.client.taken)
		s.client.taken = 0
	}
	if s.taken >= initialWindow/2 && !f.StreamEnded() {
		_ = s.framer.WriteWindowUpdate(s.id, s.taken)
		s.taken = 0
	}
}

// handshake is the head of a request for a WebSocket at /ws. The lines replace those of the same
// name; one without a value removes it.
func handshake(authority string, lines ...string) []hpack.HeaderField {
	fields := []hpack.HeaderField{
		{Name: ":method", Value: "CONNECT"},
		{Name: ":protocol", Value: "websocket"},
		{Name: ":scheme", Value: "https"},
		{Name: ":path", Value: "/ws"},
		{Name: ":authority", Value: authority},
		{Name: "sec-websocket-version", Value: "13"},
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "= ")
		fields = replace(fields, name, value)
	}
	return fields
}

func replace(fields []hpack.HeaderField, name, value string) []hpack.HeaderField {
	for i, f := range fields {
		if f.Name == name {
			if value == "" {
				return append(fields[:i:i], fields[i+1:]...)
			}
			fields[i].Value = value
			return fields
		}
	}
	return append(fields, hpack.HeaderField{Name: name, Value: value})
}

// open sends the head of a request, as handshake returns it.
func (c *client) open(lines ...string) *stream {
	c.t.Helper()
	return c.openWith(false, lines...)
}

func (c *client) openWith(end bool, lines ...string) *stream {
	c.t.Helper()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range handshake(c.conn.RemoteAddr().String(), lines...) {
		if err := encoder.WriteField(f); err != nil {
			c.t.Fatal(err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &stream{client: c, id: c.next, window: initialWindow, deadline: time.Now().Add(timeout)}
	if n, ok := c.settings[http2.SettingInitialWindowSize]; ok {
		s.window = int(n)
	}
	c.next += 2
	c.streams[s.id] = s
	err := c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: s.id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// connect opens a WebSocket.
func (c *client) connect(lines ...string) *stream {
	c.t.Helper()
	s := c.open(lines...)
	s.wantStatus("200")
	return s
}

func (s *stream) wantStatus(want string) {
	s.t.Helper()
	s.waitFor("response", func() bool { return s.header != nil || s.reset != nil })
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := s.header[":status"]; len(got) != 1 || got[0] != want {
		s.t.Fatalf("got %v, reset %v; want %s", s.header, s.reset, want)
	}
}

// Read reads data of the stream. The error at its end is io.EOF, after a reset it is the code.
func (s *stream) Read(p []byte) (n int, err error) {
	waited := s.await(s.deadline, func() bool {
		n, _ = s.data.Read(p)
		switch {
		case n > 0:
		case s.end:
			err = io.EOF
		case s.reset != nil:
			err = fmt.Errorf("reset: %v", *s.reset)
		}
		return n > 0 || err != nil
	})
	if waited != nil {
		return 0, waited
	}
	return n, err
}

var errEnded = errors.New("the server has ended the stream")

// Write sends data frames, as large as the windows and the maximum of the server allow.
func (s *stream) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		waited := s.await(s.deadline, func() bool {
			size := min(len(p)-n, s.window, s.client.window, 16<<10)
			switch {
			case s.end || s.reset != nil:
				err = errEnded
			case size > 0:
				err = s.framer.WriteData(s.id, false, p[n:n+size])
				s.window, s.client.window = s.window-size, s.client.window-size
				s.changed.Broadcast()
				n += size
			}
			return size > 0 || err != nil
		})
		if waited != nil {
			err = waited
		}
	}
	return n, err
}

func (s *stream) send(bytes string) {
	s.t.Helper()
	if _, err := io.WriteString(s, bytes); err != nil {
		s.t.Fatal(err)
	}
}

// sendEnd sends END_STREAM.
func (s *stream) sendEnd() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.framer.WriteData(s.id, true, nil); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stream) sendReset(code http2.ErrCode) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.framer.WriteRSTStream(s.id, code); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stream) want(want string) {
	s.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(s, got)
	if string(got[:n]) != want {
		s.t.Fatalf("got %.200q, %v; want %.200q", got[:n], err, want)
	}
}

// wantEnd reads the end of the stream: no further byte, and no reset before END_STREAM.
func (s *stream) wantEnd() {
	s.t.Helper()
	if rest, err := io.ReadAll(s); err != nil || len(rest) > 0 {
		s.t.Fatalf("got %.200q, %v; want the end", rest, err)
	}
}
