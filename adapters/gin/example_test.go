package wsgin_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	wsgin "example.com/wsecho/adapters/gin"
	"example.com/wsecho/middleware"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
)

func Example() {
	ws := middleware.New(middleware.Options{Path: "/ws"})

	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(gin.Recovery(), wsgin.New(ws))
	r.GET("/users", func(c *gin.Context) { c.String(http.StatusOK, "respond with a resource") })
	server := httptest.NewServer(r)
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
