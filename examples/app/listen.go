package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"syscall"
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

// parsePort does what normalizePort does in an Express application's bin/www, but returns an error
// for what that silently corrects, such as "3000x".
func parsePort(s string) (address, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return address{port: "3000"}, nil
	case isPort(s):
		return address{port: s}, nil
	case strings.IndexAny(strings.TrimLeft(s, "+-"), "0123456789") == 0:
		return address{}, fmt.Errorf(
			"PORT %q: must be a port from 0 to 65535, or the path of a Unix socket", s)
	default:
		return address{socket: s}, nil
	}
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
	return listener, a.explain(err)
}

func (a address) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%v is already in use", a)
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
