// Package poll waits until connections are readable, without a goroutine for each of them.
//
// It works on descriptors and functions. It must not know what a connection is, nor what happens
// when it is woken.
package poll

// Registration is one wait of one descriptor. The zero value is none. It is used again for the
// next wait; it must not be copied in between.
type Registration struct {
	fd   int32
	wake func()
}
