//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// timeout bounds every wait for a server.
const timeout = 10 * time.Second

// A child is a running server.
type child struct {
	cmd    *exec.Cmd
	addr   string        // host:port
	debug  string        // the same for HTTP, or ""
	read   chan struct{} // closed once all output is read
	stderr bytes.Buffer
}

// start runs a server and waits for the addresses that it prints.
func start(ctx context.Context, s server) (*child, error) {
	c := &child{read: make(chan struct{})}
	c.cmd = exec.CommandContext(ctx, s.command[0], s.command[1:]...)
	c.cmd.Stderr = &c.stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.cmd.WaitDelay = time.Second
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	addrs := make(chan string, 2)
	go func() {
		defer close(c.read)
		lines := bufio.NewScanner(out)
		addrs <- readAddr(lines, "ws://")
		if s.debug {
			addrs <- readAddr(lines, "http://")
		}
		_, _ = io.Copy(io.Discard, out) // A full pipe would block the server.
	}()
	expired := time.After(timeout)
	c.addr = await(addrs, expired)
	if s.debug && c.addr != "" {
		c.debug = await(addrs, expired)
	}
	if c.addr == "" || s.debug && c.debug == "" {
		c.stop()
		return nil, fmt.Errorf("%s printed no address: %s", s.command[0], c.stderr.String())
	}
	return c, nil
}

// await returns the next address, or "" if there is none in time.
func await(addrs <-chan string, expired <-chan time.Time) string {
	select {
	case addr := <-addrs:
		return addr
	case <-expired:
		return ""
	}
}

// readAddr returns the host and port of the next address of this scheme.
func readAddr(lines *bufio.Scanner, scheme string) string {
	for lines.Scan() {
		if _, after, found := strings.Cut(lines.Text(), scheme); found {
			host, _, _ := strings.Cut(after, "/")
			return host
		}
	}
	return ""
}

func (c *child) stop() {
	_ = c.cmd.Process.Kill()
	<-c.read // Wait closes the pipe.
	_ = c.cmd.Wait()
}

// mallocs returns the number of objects that the child has allocated, or NaN if it cannot tell.
func (c *child) mallocs() (float64, error) {
	if c.debug == "" {
		return math.NaN(), nil
	}
	client := http.Client{Timeout: timeout}
	resp, err := client.Get("http://" + c.debug + "/debug/vars")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var vars struct {
		Memstats struct{ Mallocs float64 }
	}
	if err := json.NewDecoder(resp.Body).Decode(&vars); err != nil {
		return 0, fmt.Errorf("expvar: %w", err)
	}
	return vars.Memstats.Mallocs, nil
}

// cpu returns the CPU time of the child, user and system.
func (c *child) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	return parseCPU(string(stat))
}

// parseCPU parses /proc/PID/stat, see proc(5): utime and stime are the 12th and 13th field after
// the program's name, which is in parentheses and may contain parentheses.
func parseCPU(stat string) (time.Duration, error) {
	const tick = time.Second / 100 // USER_HZ, the same on every machine that Go runs on
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/PID/stat: %q has too few fields", stat)
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/PID/stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// resident returns the resident memory of the child in bytes.
func (c *child) resident() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), "\nVmRSS:")
	number, _, _ := strings.Cut(strings.TrimSpace(after), " kB")
	kilobytes, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("/proc/PID/status: VmRSS: %w", err)
	}
	return kilobytes << 10, nil
}
