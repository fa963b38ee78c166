package wsnegroni_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	wsnegroni "example.com/wsecho/adapters/negroni"
	"example.com/wsecho/middleware"
	"github.com/gorilla/websocket"
	"github.com/urfave/negroni/v3"
)

func Example() {
	ws := middleware.New(middleware.Options{Path: "/ws"})

	n := negroni.New(negroni.NewRecovery())
	n.Use(wsnegroni.New(ws))
	n.UseHandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "respond with a resource")
	})
	server := httptest.NewServer(n)
	defer server.Close()

	address := strings.Replace(server.URL, "http", "ws", 1) + "/ws"
	client, _, err := websocket.DefaultDialer.Dial(address, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := client.WriteMessage(websocket.TextMessage, []byte("Hello from the client")); err != nil {
		log.Fatal(err)
	}
	_, reply, err := client.ReadMessage()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", reply)

	resp, err := http.Get(server.URL + "/users")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Printf("%s\n", body)
	// Output:
	// Hello from the server! You sent: Hello from the client
	// respond with a resource
}
