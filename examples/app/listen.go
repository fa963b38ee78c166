package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// An address is where to listen: a TCP port of a host (all interfaces if that is empty), or a
// Unix socket, which Express calls a pipe.
type address struct {
	host   string
	port   string
	socket string
}

var errAddress = errors.New("must be host:port, with a port from 0 to 65535")

func parseAddr(s string) (address, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil || !isPort(port) {
		return address{}, errAddress
	}
	return address{host: host, port: port}, nil
}

// parsePort parses the variable PORT. As in bin/www of an Express application, it is a port or a
// path; unlike there, a path needs a slash, so that a misspelled port is not taken for one.
func parsePort(s string) (address, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return address{port: "3000"}, nil
	case isPort(s):
		return address{port: s}, nil
	case strings.Contains(s, "/"):
		return address{socket: s}, nil
	}
	return address{}, fmt.Errorf("invalid value %q for variable PORT: "+
		"must be a port from 0 to 65535, "+
		"or the path of a Unix socket with a slash, such as ./app.sock", s)
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

func (a address) String() string {
	if a.socket != "" {
		return "Pipe " + a.socket
	}
	return "Port " + a.port
}

// listen listens on the address. It returns the error messages of Express where there are any.
func (a address) listen() (net.Listener, error) {
	network, where := "tcp", net.JoinHostPort(a.host, a.port)
	if a.socket != "" {
		network, where = "unix", a.socket
	}
	listener, err := net.Listen(network, where)
	if errors.Is(err, syscall.EADDRINUSE) && a.socket != "" {
		if err := removeStale(a.socket); err != nil {
			return nil, fmt.Errorf("%v %w", a, err)
		}
		listener, err = net.Listen(network, where)
	}
	return listener, a.explain(err)
}

var errInUse = errors.New("is already in use")

// removeStale removes the socket of a process that was killed before it could. Only a socket that
// refuses connections is stale; on Linux, a listener that is merely busy does not refuse.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("is a directory, not a socket")
	case info.Mode().Type() != os.ModeSocket:
		return errors.New("is a file, not a socket") // which refuses connections too
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		_ = conn.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return errInUse
	}
	return os.Remove(path)
}

func (a address) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%v %w", a, errInUse)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%v requires elevated privileges", a)
	default:
		return fmt.Errorf("app: %w", err)
	}
}

// url returns the URL of path for a browser on this machine. It takes the port from the listener,
// since a.port may be 0.
func (a address) url(scheme string, listener net.Listener, path string) string {
	host := a.host
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	port := a.port
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok {
		port = strconv.Itoa(tcp.Port)
	}
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port), Path: path}
	return u.String()
}
