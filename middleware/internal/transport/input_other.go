//go:build !unix

package transport

import "errors"

func (t *Transport) initRawConn() {}

func (t *Transport) hasEnded() bool { return false }

func (t *Transport) readRaw([]byte) ([]byte, error) { return nil, errors.ErrUnsupported }
