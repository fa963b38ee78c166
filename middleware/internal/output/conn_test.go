package output

import (
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// countingConn has a Write of its own, which net.Buffers would bypass.
type countingConn struct {
	*net.TCPConn
	n int
}

func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.TCPConn.Write(p)
	c.n += n
	return n, err
}

func TestOwnWrite(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, client)
		_ = client.Close()
	}()
	c := &countingConn{TCPConn: server.(*net.TCPConn)}
	o := newOn(c, -1)
	const header, size = "\x82\x7f\x00\x00\x00\x00\x00\x01\x86\xa0", 100_000
	writeFlush(t, o, header, string(make([]byte, size)))
	_ = c.Close()
	<-drained
	if want := len(header) + size; c.n != want {
		t.Errorf("Write has seen %d bytes, want %d", c.n, want)
	}
}

// limited notes the size of its send buffer.
type limited struct {
	sink
	sizes []int
}

func (c *limited) SetWriteBuffer(bytes int) error {
	c.sizes = append(c.sizes, bytes)
	return nil
}

type overTLS struct {
	sink
	conn net.Conn
}

func (c *overTLS) NetConn() net.Conn { return c.conn }

// The send buffer is found behind what wraps the connection, and set once.
func TestWrappedSendBuffer(t *testing.T) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"itself":          func(c net.Conn) net.Conn { return c },
		"embedded":        func(c net.Conn) net.Conn { return struct{ net.Conn }{c} },
		"embedded, twice": func(c net.Conn) net.Conn { return &struct{ net.Conn }{struct{ net.Conn }{c}} },
		"behind TLS":      func(c net.Conn) net.Conn { return &overTLS{conn: struct{ net.Conn }{c}} },
	} {
		conn := &limited{}
		o := newOn(wrap(conn), time.Minute)
		writeFlush(t, o, "\x81\x00")
		writeFlush(t, o, "\x81\x00")
		if want := []int{256 << 10}; !slices.Equal(conn.sizes, want) {
			t.Errorf("%s: set to %d, want %d", name, conn.sizes, want)
		}
	}
	for _, conn := range []net.Conn{&sink{}, struct{ net.Conn }{&sink{}}} { // which have none
		writeFlush(t, newOn(conn, time.Minute), "\x81\x00")
	}
}
