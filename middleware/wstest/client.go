package wstest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// maxPayload is the largest payload that Next accepts.
const maxPayload = 64 << 20

// Client is a client that sends the frames it is told to, and nothing by itself: it does not answer
// pings or close frames. Its methods fail the test if the server does not do what is wanted. They
// must be called from the goroutine of the test, but for Read.
type Client struct {
	// Timeout is how long each method but Read may take. If zero, it is one minute, which passes at
	// once in a bubble of testing/synctest. It sets the deadline of the connection.
	Timeout time.Duration

	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

// NewClient returns a client on a connection, as of [net.Dial] or [crypto/tls.Dial], which is closed
// at the end of the test. The first thing to do with it is a [Client.Handshake].
func NewClient(t testing.TB, conn net.Conn) *Client {
	t.Cleanup(func() { _ = conn.Close() })
	return &Client{t: t, conn: conn, r: bufio.NewReader(conn)}
}

// Conn returns the connection, to send what is not a frame, to close it, or to set its options. What
// the methods of Client have read ahead only [Client.Read] returns.
func (c *Client) Conn() net.Conn { return c.conn }

// Read reads bytes of which the other methods have read no part, for what is not a whole frame. It
// does not fail the test, and ends at the deadline of the connection.
func (c *Client) Read(p []byte) (int, error) { return c.r.Read(p) }

// Handshake requests path with the headers of an opening handshake (RFC 6455 §4.1) to the host
// example.com, and returns the response. Its status is 101 if a WebSocket has begun. The lines of
// header, such as "Origin: https://example.com", replace those of the same name.
func (c *Client) Handshake(path string, header ...string) *http.Response {
	c.t.Helper()
	lines := []string{"GET " + path + " HTTP/1.1"}
	for _, line := range []string{
		"Host: example.com", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	} {
		if !slices.ContainsFunc(header, func(h string) bool { return sameName(h, line) }) {
			lines = append(lines, line)
		}
	}
	c.write(strings.Join(append(lines, header...), "\r\n") + "\r\n\r\n")
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatalf("wstest: handshake at %s: %s", path, c.describe(err))
	}
	return resp
}

// sameName reports whether two lines are of the same header.
func sameName(a, b string) bool {
	a, _, _ = strings.Cut(a, ":")
	b, _, _ = strings.Cut(b, ":")
	return strings.EqualFold(a, b)
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
		c.t.Fatalf("wstest: send: %s", c.describe(err))
	}
}

// Want receives frames and compares them with those that are wanted.
func (c *Client) Want(frames ...Frame) {
	c.t.Helper()
	for _, want := range frames {
		got, err := c.next()
		if err != nil {
			c.t.Fatalf("wstest: %s; want %v", c.describe(err), want)
		}
		if got != want {
			c.t.Fatalf("wstest: got %v, want %v%s", got, want, difference(got.Payload, want.Payload))
		}
	}
}

// difference says where payloads differ, if the message of the test does not show that.
func difference(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	if n < maxShown || n == len(a) && n == len(b) {
		return ""
	}
	return fmt.Sprintf("; they differ from byte %d on", n)
}

// Next receives a frame.
func (c *Client) Next() Frame {
	c.t.Helper()
	f, err := c.next()
	if err != nil {
		c.t.Fatalf("wstest: %s; want a frame", c.describe(err))
	}
	return f
}

// WantEnd receives the end of the stream.
func (c *Client) WantEnd() {
	c.t.Helper()
	c.startTimeout()
	_, err := c.r.Peek(1)
	if err == io.EOF {
		return
	}
	if err == nil {
		var f Frame
		if f, err = c.next(); err == nil {
			c.t.Fatalf("wstest: got %v, want the end of the stream", f)
		}
	}
	c.t.Fatalf("wstest: %s; want the end of the stream", c.describe(err))
}

func (c *Client) timeout() time.Duration {
	if c.Timeout != 0 {
		return c.Timeout
	}
	return time.Minute
}

func (c *Client) startTimeout() { _ = c.conn.SetDeadline(time.Now().Add(c.timeout())) }

func (c *Client) describe(err error) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("%v after %v", os.ErrDeadlineExceeded, c.timeout())
	case err == io.EOF:
		return "the stream has ended"
	}
	return err.Error()
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
