package http2_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"example.com/wsecho/middleware"
)

// BenchmarkEcho sends messages over HTTP/2 and, as the baseline, over HTTP/1.1: one by one and, for
// throughput, in batches.
func BenchmarkEcho(b *testing.B) {
	h := echo(middleware.Options{}).Handler(app())
	for _, size := range []int{32, 32 << 10} {
		for _, batch := range []int{1, 32} {
			name := strconv.Itoa(size) + " bytes, " + strconv.Itoa(batch) + " at once, "
			b.Run(name+"HTTP1", func(b *testing.B) {
				benchmarkEcho(b, dialUpgrade(b, serve(b, h)), size, batch)
			})
			b.Run(name+"HTTP2", func(b *testing.B) {
				benchmarkEcho(b, dial(b, serve(b, h)).connect(), size, batch)
			})
		}
	}
}

func benchmarkEcho(b *testing.B, conn io.ReadWriter, size, batch int) {
	request := []byte(strings.Repeat(binaryFrame(size, "\x01\x02\x03\x04"), batch))
	response := make([]byte, batch*len(binaryFrame(size, "")))
	b.SetBytes(int64(size * batch))
	b.ReportAllocs()
	for b.Loop() {
		written := make(chan error, 1)
		go func() {
			_, err := conn.Write(request)
			written <- err
		}()
		if _, err := io.ReadFull(conn, response); err != nil {
			b.Fatal(err)
		}
		if err := <-written; err != nil {
			b.Fatal(err)
		}
	}
}

// binaryFrame is a binary frame of so many bytes, masked if there is a key.
func binaryFrame(size int, key string) string {
	header := []byte{0x82, 0}
	switch {
	case size < 126:
		header[1] = byte(size)
	case size < 1<<16:
		header[1] = 126
		header = binary.BigEndian.AppendUint16(header, uint16(size))
	}
	if key != "" {
		header[1] |= 0x80
	}
	return string(header) + key + strings.Repeat("x", size)
}

// dialUpgrade opens a WebSocket over HTTP/1.1.
func dialUpgrade(b *testing.B, s *httptest.Server) io.ReadWriter {
	b.Helper()
	conn, err := tls.Dial("tcp", s.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	_, _ = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	r := bufio.NewReader(conn)
	for line := "x"; line != "\r\n"; {
		if line, err = r.ReadString('\n'); err != nil {
			b.Fatal(err)
		}
	}
	return struct {
		io.Reader
		io.Writer
	}{r, conn}
}
