package middleware

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"example.com/wsecho/middleware/internal/frame"
	"example.com/wsecho/middleware/internal/transport"
)

// keepAlive sends pings and fails a connection whose client does not answer. It uses a timer, not a
// goroutine, to save memory.
type keepAlive struct {
	c       *Conn
	mu      sync.Mutex // held during tick, so that stop waits for it
	timer   *time.Timer
	stopped bool

	left     time.Duration // until the answer is due; 0 if none is awaited
	wait     uint64        // the reader's wait when the ping was sent, see transport.Wait
	sent     uint64        // bytes sent up to the ping
	answered uint64        // bytes sent up to the last ping that was answered
	pinged   atomic.Int64  // when, after the begin of the connection; 0 if its pong was received
}

func (k *keepAlive) start(c *Conn) {
	if c.opts.PingInterval < 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.c = c
	k.timer = time.AfterFunc(c.opts.PingInterval, k.tick)
}

func (k *keepAlive) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopped = true
	if k.timer != nil {
		k.timer.Stop()
	}
}

func (k *keepAlive) tick() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return
	}
	next := k.c.opts.PingInterval
	switch {
	case k.left == 0:
		if !k.ping() {
			return
		}
		k.left = k.answerTime()
		if k.left > 0 {
			next = min(next, k.left)
		}
	case !k.silent():
		next -= min(next, k.left)
		k.left = 0
		if k.wait != 0 && k.wait != k.c.transport.Wait() {
			k.answered = k.sent
		}
	default:
		k.left -= min(next, k.left)
		if k.left == 0 {
			k.c.fail(&CloseError{
				Code:   frame.PolicyViolation,
				Reason: fmt.Sprintf("no answer to a ping within %v", k.c.opts.PongTimeout),
			})
			return
		}
		next = min(next, k.left)
	}
	k.timer.Reset(next)
}

// silent reports whether the reader has waited in vain since the ping was sent. While somebody
// waits for the network, the ping may wait too, and the WriteTimeout is what counts.
func (k *keepAlive) silent() bool {
	t := k.c.transport
	return k.wait != 0 && k.wait == t.Wait() && !t.IsSending()
}

// ping sends a ping, and reports whether the connection is still open.
func (k *keepAlive) ping() bool {
	k.wait = k.c.transport.Wait() // before the answer can arrive
	err := k.c.transport.WriteControl(frame.Ping, k.payload())
	k.sent = k.c.transport.Sent()
	if err != nil && !errors.Is(err, transport.ErrClosed) {
		_ = k.c.drop(err)
	}
	return err == nil
}

// payload returns the payload for a ping that is sent now, if somebody measures round trips.
func (k *keepAlive) payload() []byte {
	if k.c.opts.Hooks.Pong == nil {
		return nil
	}
	now := time.Since(k.c.began)
	k.pinged.Store(int64(now))
	return binary.BigEndian.AppendUint64(nil, uint64(now))
}

// roundTrip returns how long the answer has taken, if the payload is that of the last ping.
func (k *keepAlive) roundTrip(payload string) (rtt time.Duration, ok bool) {
	if len(payload) != 8 {
		return 0, false
	}
	pinged := int64(binary.BigEndian.Uint64([]byte(payload)))
	if pinged == 0 || !k.pinged.CompareAndSwap(pinged, 0) {
		return 0, false
	}
	return time.Since(k.c.began) - time.Duration(pinged), true
}

// Data that was sent before a ping may still be on its way, in buffers of the network, the client
// and proxies.
const (
	maxBacklog  = 4 << 20
	backlogUnit = 64 << 10
)

// tlsRecords is how many TLS records fill 256 KiB. Nothing is known of a record, not even that it
// arrives, until it is complete.
const tlsRecords = 16

// answerTime is how long the answer to the ping may take: the PongTimeout, the time in which a
// client must take the data sent before the ping (see Options.WriteTimeout), and over TLS the time
// in which it must send a record (see Options.ReadTimeout).
func (k *keepAlive) answerTime() time.Duration {
	if k.c.opts.PongTimeout <= 0 {
		return 0
	}
	pace := k.c.opts.WriteTimeout
	if pace < 0 {
		pace = defaultWriteTimeout
	}
	units := min(k.sent-k.answered, maxBacklog) / backlogUnit
	answerTime := k.c.opts.PongTimeout + time.Duration(units)*pace/4
	if k.c.overTLS {
		answerTime += max(k.c.opts.ReadTimeout, 0) / tlsRecords
	}
	return answerTime
}
