package wstest

import "net"

// Pipe returns the two ends of a connection in memory.
func Pipe() (client, server net.Conn) { return pipe() }
