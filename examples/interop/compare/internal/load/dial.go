//go:build linux

package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"syscall"
)

// portsPerAddress is the number of connections from one loopback address, which is below the number
// of Linux's default ephemeral ports.
const portsPerAddress = 20000

const (
	key    = "dGhlIHNhbXBsZSBub25jZQ==" // the example of RFC 6455 §1.3
	accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// A dialer opens connections at low cost, with blocking sockets.
type dialer struct {
	to      syscall.SockaddrInet4
	request string
	deflate bool
}

func newDialer(addr string, deflate bool) (*dialer, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil || !to.Addr().Is4() || !to.Addr().IsLoopback() {
		return nil, fmt.Errorf("address %q: must be a port of a loopback address of IPv4", addr)
	}
	d := &dialer{deflate: deflate}
	d.to = syscall.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	d.request = "GET /ws HTTP/1.1\r\nHost: " + addr + "\r\nUpgrade: websocket\r\n" +
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n"
	if deflate {
		d.request += "Sec-WebSocket-Extensions: permessage-deflate; " +
			"client_no_context_takeover; server_no_context_takeover\r\n"
	}
	d.request += "\r\n"
	return d, nil
}

// dial opens connection i and performs its opening handshake.
func (d *dialer) dial(i int) (int, error) {
	fd, err := d.connect(i)
	if err != nil {
		return -1, err
	}
	if err := d.handshake(fd); err != nil {
		_ = syscall.Close(fd)
		return -1, fmt.Errorf("handshake: %w", err)
	}
	return fd, nil
}

func (d *dialer) connect(i int) (int, error) {
	for {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			return -1, fmt.Errorf("socket: %w", err)
		}
		if err = d.prepare(fd, i); err == nil {
			err = syscall.Connect(fd, &d.to)
		}
		if err == nil {
			return fd, nil
		}
		_ = syscall.Close(fd)
		// Signals of the runtime interrupt connect, which cannot be resumed.
		if !errors.Is(err, syscall.EINTR) {
			return -1, fmt.Errorf("connect: %w", err)
		}
	}
}

func (d *dialer) prepare(fd, i int) error {
	wait := syscall.Timeval{Sec: int64(timeout.Seconds())}
	for _, option := range []int{syscall.SO_RCVTIMEO, syscall.SO_SNDTIMEO} {
		if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, option, &wait); err != nil {
			return err
		}
	}
	// Closing with RST leaves no ports in TIME-WAIT, which would be missing for the next server.
	now := syscall.Linger{Onoff: 1}
	if err := syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &now); err != nil {
		return err
	}
	if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return err
	}
	if i < portsPerAddress {
		return nil
	}
	from := syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(1 + i/portsPerAddress)}}
	return syscall.Bind(fd, &from)
}

func (d *dialer) handshake(fd int) error {
	if err := writeAll(fd, []byte(d.request)); err != nil {
		return err
	}
	buf := make([]byte, 0, 1024)
	for !bytes.Contains(buf, []byte("\r\n\r\n")) {
		if len(buf) == cap(buf) {
			return errors.New("the answer is too long")
		}
		n, err := readSome(fd, buf[len(buf):cap(buf)])
		if err != nil {
			return err
		}
		buf = buf[:len(buf)+n]
	}
	return d.check(string(buf))
}

// check checks a complete answer.
func (d *dialer) check(head string) error {
	switch {
	case !strings.HasPrefix(head, "HTTP/1.1 101 "):
		line, _, _ := strings.Cut(head, "\r\n")
		return fmt.Errorf("answer %q", line)
	case !strings.Contains(head, accept):
		return errors.New("the answer has not accepted the key")
	case !strings.HasSuffix(head, "\r\n\r\n"):
		return errors.New("unexpected data after the answer")
	case d.deflate && !strings.Contains(head, "permessage-deflate"):
		return errors.New("permessage-deflate was not agreed on")
	}
	return nil
}

// writeAll writes to a blocking socket.
func writeAll(fd int, p []byte) error {
	for len(p) > 0 {
		n, err := syscall.Write(fd, p)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return err
		}
		p = p[max(n, 0):]
	}
	return nil
}

// readSome reads from a blocking socket, and returns at least one byte or an error.
func readSome(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, p)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return 0, fmt.Errorf("no data for %v", timeout)
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}
