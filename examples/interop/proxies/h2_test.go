//go:build linux

package proxies_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/program"
	"example.com/wsecho/middleware"
	"github.com/gobwas/ws/wsutil"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Whether HTTP/2 clients may open WebSockets (RFC 8441), and what comes of it. Where the proxy does
// not announce that they may, browsers open a connection with HTTP/1.1.
func TestHTTP2(t *testing.T) { each(t, testHTTP2) }

func testHTTP2(t *testing.T, k *kind) {
	s := serve(t, middleware.Options{PingInterval: -1})
	p := k.start(t, s.address, k.idle...)
	config := p.trust()
	config.NextProtos = []string{"h2", "http/1.1"}
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: program.Patience}, "tcp", p.https, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(program.Patience))
	if got := conn.ConnectionState().NegotiatedProtocol == "h2"; got != k.h2 {
		t.Fatalf("HTTP/2: %t, want %t", got, k.h2)
	}
	if !k.h2 {
		return
	}
	c := &h2Conn{t: t, conn: conn, framer: http2.NewFramer(conn, conn), stream: 1}
	if got := c.greet(); got != k.connect {
		t.Fatalf("extended CONNECT: %t, want %t", got, k.connect)
	}
	if !k.connect {
		return
	}
	if status := c.open("https://evil.example"); status != 403 {
		t.Errorf("from another origin: %d, want 403", status)
	}
	if status := c.open("https://example.com:8443"); status != 200 {
		t.Fatalf("status %d, want 200", status)
	}
	if err := wsutil.WriteClientText(c, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	got, err := wsutil.ReadServerText(c)
	if want := "Hello from the server! You sent: hello"; string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	// Without pings, it is cut as any other connection.
	if got, err := wsutil.ReadServerText(c); err != io.EOF {
		t.Errorf("got %q, %v; want the end of the stream", got, err)
	}
	s.log.Want(t, cut.log)
}

// h2Conn is a client's connection with one stream at a time, whose data it reads and writes.
type h2Conn struct {
	t      *testing.T
	conn   net.Conn
	framer *http2.Framer
	stream uint32
	data   bytes.Buffer
}

// greet exchanges settings, and returns whether the server announces extended CONNECT.
func (c *h2Conn) greet() (connect bool) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, http2.ClientPreface); err != nil {
		c.t.Fatal(err)
	}
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := c.framer.WriteSettings(); err != nil {
		c.t.Fatal(err)
	}
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			c.t.Fatal(err)
		}
		if settings, ok := frame.(*http2.SettingsFrame); ok && !settings.IsAck() {
			value, _ := settings.Value(http2.SettingEnableConnectProtocol)
			if err := c.framer.WriteSettingsAck(); err != nil {
				c.t.Fatal(err)
			}
			return value == 1
		}
	}
}

// open sends a handshake to example.com:8443 on a new stream, and returns the status.
func (c *h2Conn) open(origin string) (status int) {
	c.t.Helper()
	c.stream += 2
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range []hpack.HeaderField{
		{Name: ":method", Value: "CONNECT"},
		{Name: ":protocol", Value: "websocket"},
		{Name: ":scheme", Value: "https"},
		{Name: ":path", Value: "/ws"},
		{Name: ":authority", Value: "example.com:8443"},
		{Name: "sec-websocket-version", Value: "13"},
		{Name: "origin", Value: origin},
	} {
		_ = encoder.WriteField(f)
	}
	headers := http2.HeadersFrameParam{
		StreamID: c.stream, BlockFragment: block.Bytes(), EndHeaders: true,
	}
	if err := c.framer.WriteHeaders(headers); err != nil {
		c.t.Fatal(err)
	}
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			c.t.Fatal(err)
		}
		if headers, ok := frame.(*http2.MetaHeadersFrame); ok && headers.StreamID == c.stream {
			status, err = strconv.Atoi(headers.PseudoValue("status"))
			if err != nil {
				c.t.Fatal(err)
			}
			return status
		}
	}
}

func (c *h2Conn) Write(p []byte) (int, error) {
	return len(p), c.framer.WriteData(c.stream, false, p)
}

func (c *h2Conn) Read(p []byte) (int, error) {
	for c.data.Len() == 0 {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return 0, err
		}
		if frame.Header().StreamID != c.stream {
			continue
		}
		switch f := frame.(type) {
		case *http2.DataFrame:
			c.data.Write(f.Data())
			if f.StreamEnded() {
				return 0, io.EOF
			}
		case *http2.RSTStreamFrame:
			return 0, http2.StreamError{StreamID: c.stream, Code: f.ErrCode}
		}
	}
	return c.data.Read(p)
}
