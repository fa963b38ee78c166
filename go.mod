module example.com/wsecho

go 1.25.0

require (
	github.com/gorilla/websocket v1.5.3
	github.com/urfave/negroni/v3 v3.1.2
)
