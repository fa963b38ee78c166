package output

import (
	"slices"

	"example.com/wsecho/middleware/internal/frame"
)

// controlFrames are the control frames of each opcode, from frame.Close on. Only the last one of
// each is kept, as RFC 6455 §5.5.3 allows for pongs.
type controlFrames [3][]byte

// endFrame holds the control frames that have waited, if the current frame has ended.
func (o *Output) endFrame() {
	if o.frameLeft > 0 {
		return
	}
	o.notify()
	if o.waiting == nil {
		return
	}
	for i, p := range slices.Backward(o.waiting[:]) { // the close frame last
		if !o.fits(p) {
			return
		}
		if p != nil {
			o.hold(p)
			o.waiting[i] = nil
		}
	}
	o.waiting = nil
}

// Control writes a ping or pong. If another goroutine is writing a frame or sends, that one sends
// it too, and Control does not wait.
func (o *Output) Control(opcode byte, payload []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.queue(opcode, payload); err != nil {
		return err
	}
	if o.holding || o.sending || o.frameLeft > 0 {
		return nil
	}
	return o.send(nil)
}

// queue appends a control frame to held, or to waiting.
func (o *Output) queue(opcode byte, payload []byte) error {
	switch {
	case o.err != nil:
		return o.err
	case o.closed:
		return ErrClosed
	}
	o.pieces++
	p := frame.Control(opcode, payload)
	if o.waiting == nil && o.frameLeft == 0 && !o.sending && o.fits(p) {
		o.hold(p)
		return nil
	}
	if o.waiting == nil {
		o.waiting = new(controlFrames)
	}
	o.waiting[opcode-frame.Close] = p
	return nil
}

// Close writes a close frame, after the current frame of another goroutine, and sends it. Then all
// writes return [ErrClosed].
func (o *Output) Close(payload []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.queue(frame.Close, payload); err != nil {
		return err
	}
	o.closed = true
	for o.frameLeft > 0 && o.err == nil {
		o.waitForChange()
	}
	return o.send(nil)
}
