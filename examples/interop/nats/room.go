package main

import (
	"context"
	"errors"
	"unicode/utf8"

	"example.com/wsecho/middleware"
	"github.com/nats-io/nats.go"
)

// subject is what is said in the room. Whoever may publish on it is heard, so a cluster that others
// use too should require credentials.
const subject = "wsecho.room"

// A room is what the cluster says on the subject.
type room struct{ nc *nats.Conn }

// serve writes to one member what is said, while listen reads what the member says. With thousands
// of members in a process, let them share a subscription, and distribute it as examples/room does.
func (r room) serve(ctx context.Context, c *middleware.Conn) error {
	sub, err := r.nc.SubscribeSync(subject)
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }()
	_ = sub.SetPendingLimits(64, -1) // If this fails, so does NextMsg.
	go r.listen(c)
	for {
		m, err := sub.NextMsgWithContext(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, nats.ErrSlowConsumer): // NATS has left out messages.
			return &middleware.CloseError{Code: 1008, Reason: "too slow"} // Policy Violation
		case err != nil:
			return err
		case !utf8.Valid(m.Data): // Others may publish what is not text.
			continue
		}
		if err := c.WriteMessage(middleware.TextMessage, m.Data); err != nil {
			return err
		}
	}
}

func (r room) listen(c *middleware.Conn) {
	for {
		t, p, err := c.ReadMessage()
		if err != nil {
			return
		}
		if t != middleware.TextMessage {
			_ = c.Close(1003, "send text") // Unsupported Data
		} else if err := r.nc.Publish(subject, p); err != nil {
			_ = c.Close(1011, "not delivered") // Internal Error
		}
	}
}
