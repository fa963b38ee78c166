package main

import (
	"testing"

	"example.com/wsecho/examples/internal/wstest"
)

func TestMain(m *testing.M) { wstest.Main(m) }

func TestSum(t *testing.T) {
	url := wstest.Serve(t, newHandler()) + "/ws"
	c := wstest.Dial(t, url, nil)
	c.Send(`{"add": 5}`)
	c.Send(`{"add": -2}`)
	c.Want(`{"sum":5}`, `{"sum":3}`)

	other := wstest.Dial(t, url, nil)
	other.Send(`{"add": 1}`)
	other.Want(`{"sum":1}`)
}

// What is not JSON, or not what was asked for, is an answer, and changes nothing.
func TestErrors(t *testing.T) {
	c := wstest.Dial(t, wstest.Serve(t, newHandler())+"/ws", nil)
	c.Send(`{"add": 5}`)
	c.Send(`{"add"`)
	c.Send(`{"add": "7"}`)
	c.Send(`{"add": 7, "add": "7"}`)
	c.Send(`{"add": 1}`)
	c.Want(
		`{"sum":5}`,
		`{"sum":5,"error":"send {\"add\": NUMBER}"}`,
		`{"sum":5,"error":"send {\"add\": NUMBER}"}`,
		`{"sum":5,"error":"send {\"add\": NUMBER}"}`,
		`{"sum":6}`,
	)
}
