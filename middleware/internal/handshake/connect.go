package handshake

import "net/http"

// isMultiplexed reports whether the connection of the request has other streams, too, so that it
// cannot be upgraded.
func isMultiplexed(r *http.Request) bool { return r.ProtoMajor >= 2 }

// isConnect reports whether the request, of HTTP/2 or HTTP/3, is an extended CONNECT to a WebSocket
// (RFC 8441 §4, RFC 9220 §3). net/http has the pseudo-header among the headers, where a client
// cannot put it otherwise; quic-go has it as the version.
func isConnect(r *http.Request) bool {
	if r.Method != http.MethodConnect {
		return false
	}
	protocol := r.Header[":protocol"]
	return len(protocol) == 1 && protocol[0] == "websocket" ||
		r.ProtoMajor == 3 && r.Proto == "websocket"
}

func checkConnect(r *http.Request) *Refusal {
	if !isConnect(r) {
		return Refusef(http.StatusHTTPVersionNotSupported, "HTTP/%d: a WebSocket handshake must "+
			"be a GET request over HTTP/1.1, or a CONNECT request with :protocol websocket",
			r.ProtoMajor)
	}
	return nil
}

// checkContentLength refuses a stream that would end after so many bytes.
func checkContentLength(r *http.Request) *Refusal {
	if len(r.Header["Content-Length"]) > 0 {
		return Refusef(http.StatusBadRequest,
			"a WebSocket handshake must have no Content-Length")
	}
	return nil
}
