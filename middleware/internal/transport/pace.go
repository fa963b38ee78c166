package transport

import "time"

// pace limits how many messages and control frames are read a second.
type pace struct {
	rate        float64
	left        float64       // how many may be read now; negative if too many were
	at          time.Time     // of the last call of pause
	counted     uint64        // frames, up to then
	interrupted chan struct{} // has an element after an Interrupt
}

func newPace(rate float64) *pace {
	return &pace{rate: rate, left: max(rate, 1), at: time.Now(), interrupted: make(chan struct{}, 1)}
}

// maxPause is for rates of which one pause would not fit in a Duration.
const maxPause = 100 * 365 * 24 * time.Hour

// pause counts up to n frames, and returns how long the reader has to pause.
func (p *pace) pause(n uint64, now time.Time) time.Duration {
	p.left = min(p.left+now.Sub(p.at).Seconds()*p.rate, max(p.rate, 1))
	p.left -= float64(n - p.counted)
	p.at, p.counted = now, n
	if p.left >= 0 {
		return 0
	}
	return time.Duration(min(-p.left/p.rate, maxPause.Seconds()) * float64(time.Second))
}

func (p *pace) interrupt() {
	if p == nil {
		return
	}
	select {
	case p.interrupted <- struct{}{}:
	default:
	}
}

// keepPace pauses after messages and control frames have come in faster than the rate. TCP holds the
// client back meanwhile. An interrupted reader does not pause any more: the connection is closing.
func (t *Transport) keepPace() error {
	p := t.reader.pace
	if p == nil || t.reader.interrupted() {
		return nil
	}
	pause := p.pause(t.guard.Frames(), time.Now())
	if pause == 0 {
		return nil
	}
	// Others must not wait until it is over, and pings find out whether the client is gone.
	if err := t.out.Release(); err != nil {
		return err
	}
	defer t.out.Resume()
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.interrupted:
	}
	return nil
}
