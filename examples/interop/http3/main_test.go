package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"example.com/wsecho/examples/interop/internal/leak"
	"example.com/wsecho/examples/interop/internal/program"
	"github.com/gorilla/websocket"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// TestMain runs the program if a test has started this binary as such.
func TestMain(m *testing.M) {
	if os.Getenv("HTTP3_TEST_AS_PROGRAM") != "" {
		main()
	}
	os.Exit(leak.Run(m))
}

// start runs the program, with a certificate for tests, and returns its address.
func start(t *testing.T) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = listener.Addr().String()
	_ = listener.Close()
	s := httptest.NewTLSServer(nil)
	s.Close()
	certificate := s.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-addr", addr,
		"-cert", writePEM(t, dir, "CERTIFICATE", certificate.Certificate[0]),
		"-key", writePEM(t, dir, "PRIVATE KEY", key))
	cmd.Env = append(os.Environ(), "HTTP3_TEST_AS_PROGRAM=1")
	line, _ := program.Start(t, cmd).Line()
	if want := "Serving https://" + addr + "/ and wss://" + addr + "/ws"; line != want {
		t.Fatalf("printed %q, want %q", line, want)
	}
	return addr
}

func writePEM(t *testing.T, dir, kind string, der []byte) (path string) {
	t.Helper()
	path = filepath.Join(dir, kind)
	block := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var insecure = tls.Config{InsecureSkipVerify: true}

func TestHTTP1(t *testing.T) {
	addr := start(t)
	dialer := websocket.Dialer{HandshakeTimeout: program.Patience, TLSClientConfig: insecure.Clone()}
	_, port, _ := net.SplitHostPort(addr)
	want := `h3=":` + port + `"; ma=2592000`
	var c *websocket.Conn
	for deadline := time.Now().Add(program.Patience); c == nil; runtime.Gosched() {
		dialed, resp, err := dialer.Dial("wss://"+addr+"/ws", nil)
		switch {
		case err == nil && resp.Header.Get("Alt-Svc") == want: // Both servers listen.
			c = dialed
		case time.Now().After(deadline):
			t.Fatalf("got %v, %v; want Alt-Svc %s", resp, err, want)
		case err == nil:
			_ = dialed.Close()
		}
	}
	defer c.Close()
	_ = c.WriteMessage(websocket.TextMessage, []byte("hi"))
	_ = c.SetReadDeadline(time.Now().Add(program.Patience))
	if _, got, err := c.ReadMessage(); string(got) != "Hello from the server! You sent: hi" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestHTTP3(t *testing.T) {
	addr := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), program.Patience)
	defer cancel()
	config := insecure.Clone()
	config.NextProtos = []string{http3.NextProtoH3}
	conn, err := quic.DialAddr(ctx, addr, config, nil) // It repeats until the program listens.
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	transport := &http3.Transport{}
	defer transport.Close()
	s, err := transport.NewClientConn(conn).OpenRequestStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.SetDeadline(time.Now().Add(program.Patience))
	if err := s.SendRequestHeader(&http.Request{
		Method: http.MethodConnect, Proto: "websocket", ProtoMajor: 3, Host: addr,
		URL:    &url.URL{Scheme: "https", Host: addr, Path: "/ws"},
		Header: http.Header{"Sec-Websocket-Version": {"13"}},
	}); err != nil {
		t.Fatal(err)
	}
	if resp, err := s.ReadResponse(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("got %v, %v", resp, err)
	}
	_, _ = io.WriteString(s, "\x81\x82\x00\x00\x00\x00hi")
	const want = "\x81\x23Hello from the server! You sent: hi"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(s, got); string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}
