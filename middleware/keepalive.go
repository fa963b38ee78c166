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
	mu    sync.Mutex  // held during keepAliveTick, so that stop waits for it
	timer *time.Timer // nil if stopped

	left     time.Duration // until the answer is due; 0 if none is awaited
	wait     uint64        // the reader's wait when the ping was sent, see transport.Wait
	sent     uint64        // bytes sent up to the ping
	answered uint64        // bytes sent up to the last ping that was answered
	pinged   atomic.Int64  // when, after the begin of the connection; 0 if its pong was received
}

func (c *Conn) startKeepAlive() {
	if c.opts.PingInterval < 0 {
		return
	}
	k := &c.keepAlive
	k.mu.Lock()
	defer k.mu.Unlock()
	k.timer = time.AfterFunc(c.opts.PingInterval, c.keepAliveTick)
}

func (k *keepAlive) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.timer != nil {
		k.timer.Stop()
		k.timer = nil
	}
}

func (c *Conn) keepAliveTick() {
	k := &c.keepAlive
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.timer == nil {
		return
	}
	next := c.opts.PingInterval
	switch {
	case k.left == 0:
		if !c.ping() {
			return
		}
		k.left = c.answerTime()
		if k.left > 0 {
			next = min(next, k.left)
		}
	case !c.silent():
		next -= min(next, k.left)
		k.left = 0
		if k.wait != 0 && k.wait != c.transport.Wait() {
			k.answered = k.sent
		}
	default:
		k.left -= min(next, k.left)
		if k.left == 0 {
			c.fail(&CloseError{
				Code:   frame.PolicyViolation,
				Reason: fmt.Sprintf("no answer to a ping within %v", c.opts.PongTimeout),
			})
			return
		}
		next = min(next, k.left)
	}
	k.timer.Reset(next)
}

// silent reports whether the reader has waited in vain since the ping was sent. While somebody
// waits for the network, the ping may wait too, and the WriteTimeout is what counts.
func (c *Conn) silent() bool {
	k, t := &c.keepAlive, c.transport
	return k.wait != 0 && k.wait == t.Wait() && !t.IsSending()
}

// ping sends a ping, and reports whether the connection is still open.
func (c *Conn) ping() bool {
	k := &c.keepAlive
	k.wait = c.transport.Wait() // before the answer can arrive
	err := c.transport.WriteControl(frame.Ping, c.pingPayload())
	k.sent = c.transport.Sent()
	if err != nil && !errors.Is(err, transport.ErrClosed) {
		_ = c.drop(err)
	}
	return err == nil
}

// pingPayload returns the payload for a ping that is sent now, if somebody measures round trips.
func (c *Conn) pingPayload() []byte {
	if c.opts.Hooks.Pong == nil {
		return nil
	}
	now := time.Since(c.began)
	c.keepAlive.pinged.Store(int64(now))
	return binary.BigEndian.AppendUint64(nil, uint64(now))
}

// roundTrip returns how long the answer has taken, if the payload is that of the last ping.
func (c *Conn) roundTrip(payload string) (rtt time.Duration, ok bool) {
	if len(payload) != 8 {
		return 0, false
	}
	pinged := int64(binary.BigEndian.Uint64([]byte(payload)))
	if pinged == 0 || !c.keepAlive.pinged.CompareAndSwap(pinged, 0) {
		return 0, false
	}
	return time.Since(c.began) - time.Duration(pinged), true
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
func (c *Conn) answerTime() time.Duration {
	if c.opts.PongTimeout <= 0 {
		return 0
	}
	k := &c.keepAlive
	pace := c.opts.WriteTimeout
	if pace < 0 {
		pace = defaultWriteTimeout
	}
	units := min(k.sent-k.answered, maxBacklog) / backlogUnit
	answerTime := c.opts.PongTimeout + time.Duration(units)*pace/4
	if c.overTLS {
		answerTime += max(c.opts.ReadTimeout, 0) / tlsRecords
	}
	return answerTime
}
