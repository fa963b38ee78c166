package wstest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// maxPayload is the largest payload that Next accepts.
const maxPayload = 64 << 20

// Client is a client that sends the frames it is told to, and nothing by itself: it does not answer
// pings or close frames. Its methods fail the test if the server does not do what is wanted. They
// must be called from the goroutine of the test.
type Client struct {
	// Timeout is how long each method may take. If zero, it is one minute, which passes at once in
	// a bubble of testing/synctest.
	Timeout time.Duration

	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

// NewClient returns a client on a connection, which it closes at the end of the test.
func NewClient(t testing.TB, conn net.Conn) *Client {
	t.Cleanup(func() { _ = conn.Close() })
	return &Client{t: t, conn: conn, r: bufio.NewReader(conn)}
}

// Conn returns the connection, to send what is not a frame, to close it, or to set its options.
// What the methods of Client have read ahead cannot be read from it.
func (c *Client) Conn() net.Conn { return c.conn }

// Handshake requests path with the headers of an opening handshake (RFC 6455 §4.1) and further
// header lines such as "Origin: https://example.com", and returns the response. Its status is 101
// if a WebSocket has begun.
func (c *Client) Handshake(path string, header ...string) *http.Response {
	c.t.Helper()
	lines := append([]string{
		"GET " + path + " HTTP/1.1", "Host: example.com", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}, header...)
	c.write(strings.Join(lines, "\r\n") + "\r\n\r\n")
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatalf("wstest: handshake at %s: %v", path, err)
	}
	return resp
}

// Send sends frames, masked, in one write.
func (c *Client) Send(frames ...Frame) {
	c.t.Helper()
	var b strings.Builder
	for _, f := range frames {
		b.WriteString(f.Masked())
	}
	c.write(b.String())
}

func (c *Client) write(s string) {
	c.t.Helper()
	c.startTimeout()
	if _, err := io.WriteString(c.conn, s); err != nil {
		c.t.Fatalf("wstest: send: %v", err)
	}
}

// Want receives frames and compares them with those that are wanted.
func (c *Client) Want(frames ...Frame) {
	c.t.Helper()
	for _, want := range frames {
		got, err := c.next()
		if err != nil {
			c.t.Fatalf("wstest: %v; want %v", err, want)
		}
		if got != want {
			c.t.Fatalf("wstest: got %v, want %v", got, want)
		}
	}
}

// Next receives a frame.
func (c *Client) Next() Frame {
	c.t.Helper()
	f, err := c.next()
	if err != nil {
		c.t.Fatalf("wstest: %v; want a frame", err)
	}
	return f
}

// WantEnd receives the end of the stream.
func (c *Client) WantEnd() {
	c.t.Helper()
	c.startTimeout()
	if _, err := c.r.Peek(1); err == nil {
		f, err := c.next()
		c.t.Fatalf("wstest: got %v, %v; want the end of the stream", f, err)
	} else if err != io.EOF {
		c.t.Fatalf("wstest: %v; want the end of the stream", err)
	}
}

func (c *Client) startTimeout() {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = time.Minute
	}
	_ = c.conn.SetDeadline(time.Now().Add(timeout))
}

// next reads a frame, which must have a header as a server sends it.
func (c *Client) next() (Frame, error) {
	c.startTimeout()
	header := make([]byte, 2, 10)
	if _, err := io.ReadFull(c.r, header); err != nil {
		return Frame{}, err
	}
	extended := map[byte]int{126: 2, 127: 8}[header[1]]
	header = header[:2+extended]
	if _, err := io.ReadFull(c.r, header[2:]); err != nil {
		return Frame{}, err
	}
	length := uint64(header[1])
	switch extended {
	case 2:
		length = uint64(binary.BigEndian.Uint16(header[2:]))
	case 8:
		length = binary.BigEndian.Uint64(header[2:])
	}
	if header[1] > 127 || length > maxPayload {
		return Frame{}, fmt.Errorf("frame with the header % x: masked or too long", header)
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(c.r, payload); err != nil {
		return Frame{}, err
	}
	f := Frame{header[0], string(payload)}
	if string(f.header(0)) != string(header) {
		return Frame{}, fmt.Errorf("frame with the header % x: length not in the shortest form", header)
	}
	return f, nil
}
