//go:build !unix

package middleware

import "errors"

func (t *transport) initPolling() {}

func (t *transport) hasEnded() bool { return false }

func (t *transport) pollRaw([]byte) (int, []byte, error) { return 0, nil, errors.ErrUnsupported }
