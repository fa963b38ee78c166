package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"example.com/wsecho/middleware"
)

func newEndpoints() (echo, upper *middleware.Middleware) {
	echo = middleware.New(middleware.Options{
		MaxConnsPerClient: 100,
		DrainSpread:       10 * time.Second,
	})
	upper = middleware.New(middleware.Options{
		Handler:        middleware.MessageFunc(toUpper),
		ReadLimit:      1024,
		MaxMessageRate: 10,
	})
	return echo, upper
}

func toUpper(w io.Writer, m *middleware.Message) error {
	if m.Type != middleware.TextMessage {
		return &middleware.CloseError{Code: 1003, Reason: "send text"} // Unsupported Data
	}
	_, err := w.Write(bytes.ToUpper(m.Data))
	return err
}

// together shuts down a server and its endpoints at the same time: each refuses clients from the
// beginning, and has all of the time.
func together(ctx context.Context, shutdowns ...func(context.Context) error) error {
	errs := make([]error, len(shutdowns))
	var group sync.WaitGroup
	for i, shutdown := range shutdowns {
		group.Go(func() { errs[i] = shutdown(ctx) })
	}
	group.Wait()
	return errors.Join(errs...)
}
