//go:build !linux

package middleware

const canPark = false

// lot is never used: connections wait in their goroutines.
type lot struct{ wake func(*Conn) }

func (*lot) park(*Conn) bool { return false }
func (*lot) take(*Conn)      {}
func (*lot) close()          {}
