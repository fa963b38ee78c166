package main

import (
	"testing"

	"example.com/wsecho/middleware/wstest"
)

func TestMain(m *testing.M) { wstest.Main(m) }

func TestSum(t *testing.T) {
	s := wstest.NewServer(t, newHandler())
	c := s.Dial("/ws")
	c.Send(wstest.Text(`{"add": 5}`), wstest.Text(`{"add": -2}`))
	c.Want(wstest.Text(`{"sum":5}`), wstest.Text(`{"sum":3}`))

	other := s.Dial("/ws")
	other.Send(wstest.Text(`{"add": 1}`))
	other.Want(wstest.Text(`{"sum":1}`))
}

// What is not JSON, or not what was asked for, is an answer, and changes nothing.
func TestErrors(t *testing.T) {
	c := wstest.NewServer(t, newHandler()).Dial("/ws")
	const refused = `{"sum":5,"error":"send {\"add\": NUMBER}"}`
	for _, test := range []struct{ request, response string }{
		{`{"add": 5}`, `{"sum":5}`},
		{`{"add"`, refused},
		{`{"add": "7"}`, refused},
		{`{"add": 7, "add": "7"}`, refused},
		{`{"add": 1}`, `{"sum":6}`},
	} {
		c.Send(wstest.Text(test.request))
		c.Want(wstest.Text(test.response))
	}
}
