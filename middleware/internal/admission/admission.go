// Package admission limits the number of connections, in all and for each client.
//
// It counts. It must not know connections or HTTP.
package admission

import (
	"crypto/sha256"
	"errors"
	"net/netip"
	"strings"
	"sync"
)

// The reasons why nobody is admitted.
var (
	ErrFull       = errors.New("admission: the limit is reached")
	ErrClientFull = errors.New("admission: the limit for one client is reached")
	ErrClosed     = errors.New("admission: closed")
)

// Gate counts who is inside.
type Gate struct {
	max, perClient int // negative for no limit

	mu      sync.Mutex
	inside  int
	clients map[string]int // inside, by name; empty if there is no limit for them
	empty   chan struct{}  // created by Close; closed when nobody is inside
}

// NewGate returns a gate for max in all and perClient of each client. Negative numbers are no limit.
func NewGate(max, perClient int) *Gate { return &Gate{max: max, perClient: perClient} }

// CountsClients reports whether the names given to Enter and Leave matter.
func (g *Gate) CountsClients() bool { return g.perClient >= 0 }

// Enter admits one of the client's, or returns one of the errors of this package.
func (g *Gate) Enter(client string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.empty != nil:
		return ErrClosed
	case g.max >= 0 && g.inside >= g.max:
		return ErrFull
	case g.CountsClients() && g.clients[client] >= g.perClient:
		return ErrClientFull
	}
	g.inside++
	if g.CountsClients() {
		if g.clients == nil {
			g.clients = make(map[string]int)
		}
		g.clients[client]++
	}
	return nil
}

// Leave takes back what Enter has counted.
func (g *Gate) Leave(client string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.CountsClients() {
		if g.clients[client]--; g.clients[client] <= 0 {
			delete(g.clients, client)
		}
	}
	if g.inside == 0 && g.empty != nil {
		close(g.empty)
	}
}

// Close makes Enter return [ErrClosed]. The channel is closed when nobody is inside.
func (g *Gate) Close() (empty <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.empty == nil {
		g.empty = make(chan struct{})
		if g.inside == 0 {
			close(g.empty)
		}
	}
	return g.empty
}

// Closed reports whether Close was called.
func (g *Gate) Closed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.empty != nil
}

const maxName = 128 // bytes

// Network names the client at an address: by the address, or for IPv6 by its /64, of which a client
// usually has all addresses (RFC 6177). The port may be missing, as behind handlers that replace
// RemoteAddr by the address in a header. What is no address is its own name, or its hash: a name is
// kept as long as the connection, and a header that it is from may have a megabyte.
func Network(addrPort string) string {
	if len(addrPort) > maxName {
		sum := sha256.Sum256([]byte(addrPort))
		return string(sum[:])
	}
	parsed, err := netip.ParseAddrPort(addrPort)
	addr := parsed.Addr()
	if err != nil {
		bare := strings.TrimSuffix(strings.TrimPrefix(addrPort, "["), "]")
		if addr, err = netip.ParseAddr(bare); err != nil {
			return addrPort
		}
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		return netip.PrefixFrom(addr, 64).Masked().String()
	}
	return addr.String()
}
