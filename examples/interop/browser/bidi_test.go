package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"example.com/wsecho/examples/interop/internal/program"
	"github.com/gorilla/websocket"
)

// A session speaks WebDriver BiDi with a browser: https://w3c.github.io/webdriver-bidi/.
type session struct {
	ws    *websocket.Conn
	event func(method string, params json.RawMessage)
	ended chan struct{} // closed when the connection has ended

	mu      sync.Mutex // guards the rest, and serializes writes
	lastID  int
	answers map[int]chan answer
}

type object = map[string]any

// An answer is what the browser sends: an event, or the result of the command with the id.
type answer struct {
	ID      int
	Type    string // success, error or event
	Method  string
	Params  json.RawMessage
	Result  json.RawMessage
	Error   string
	Message string
}

// newSession connects to the URL. It calls event for every event, one after the other.
func newSession(url string, event func(method string, params json.RawMessage)) (*session, error) {
	dialer := websocket.Dialer{HandshakeTimeout: program.Patience}
	ws, _, err := dialer.Dial(url, nil)
	if err != nil {
		return nil, err
	}
	s := &session{
		ws: ws, event: event, ended: make(chan struct{}), answers: map[int]chan answer{},
	}
	go s.receive()
	return s, nil
}

func (s *session) receive() {
	defer close(s.ended)
	for {
		var a answer
		if s.ws.ReadJSON(&a) != nil {
			return
		}
		if a.Type == "event" {
			s.event(a.Method, a.Params)
			continue
		}
		s.mu.Lock()
		if c, ok := s.answers[a.ID]; ok {
			c <- a
			delete(s.answers, a.ID)
		}
		s.mu.Unlock()
	}
}

// call sends a command, waits for the answer, and decodes the result.
func (s *session) call(method string, params object, result any) error {
	ctx, cancel := context.WithTimeout(context.Background(), program.Patience)
	defer cancel()
	c, err := s.send(method, params)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case a := <-c:
		if a.Type != "success" {
			return fmt.Errorf("%s: %s: %s", method, a.Error, a.Message)
		}
		return json.Unmarshal(a.Result, result)
	case <-s.ended:
		return fmt.Errorf("%s: the connection to the browser has ended", method)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
}

func (s *session) send(method string, params object) (<-chan answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	c := make(chan answer, 1)
	s.answers[s.lastID] = c
	return c, s.ws.WriteJSON(object{"id": s.lastID, "method": method, "params": params})
}
