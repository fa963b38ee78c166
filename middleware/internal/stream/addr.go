package stream

import (
	"net"
	"net/netip"
)

// newAddr returns the address of a peer that speaks this version of HTTP.
func newAddr(major int, s string) net.Addr {
	addr, err := netip.ParseAddrPort(s)
	switch {
	case major >= 3 && err == nil:
		return net.UDPAddrFromAddrPort(addr)
	case err == nil:
		return net.TCPAddrFromAddrPort(addr)
	}
	return otherAddr(s)
}

// otherAddr is the address of a connection that is not a TCP or UDP socket.
type otherAddr string

func (otherAddr) Network() string  { return "stream" }
func (a otherAddr) String() string { return string(a) }
