module example.com/wsecho/examples/interop

go 1.26.0

replace example.com/wsecho => ../..

require (
	example.com/wsecho v0.0.0
	github.com/coder/websocket v1.8.15
	github.com/gobwas/ws v1.5.0
	github.com/gorilla/websocket v1.5.3
	github.com/urfave/negroni v1.0.0
	github.com/urfave/negroni/v3 v3.1.2
)

require github.com/gobwas/httphead v0.1.0 // indirect
