package wsprometheus_test

import (
	"testing"
	"time"

	"example.com/wsecho/middleware/wstest"
)

// timeout bounds every wait.
const timeout = 10 * time.Second

func TestMain(m *testing.M) { wstest.Main(m) }
