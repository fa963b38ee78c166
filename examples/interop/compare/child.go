//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
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
	addr   string // host:port
	stderr bytes.Buffer
}

// start runs a server and waits for the address that it prints.
func start(ctx context.Context, command []string) (*child, error) {
	c := &child{cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
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
	addr := make(chan string, 1)
	go func() {
		addr <- readAddr(out)
		_, _ = io.Copy(io.Discard, out) // A full pipe would block the server.
	}()
	select {
	case c.addr = <-addr:
	case <-time.After(timeout):
	}
	if c.addr == "" {
		c.stop()
		return nil, fmt.Errorf("%s printed no address: %s", command[0], c.stderr.String())
	}
	return c, nil
}

// readAddr returns the host and port of the first WebSocket address in the output.
func readAddr(out io.Reader) string {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, after, found := strings.Cut(lines.Text(), "ws://"); found {
			host, _, _ := strings.Cut(after, "/")
			return host
		}
	}
	return ""
}

func (c *child) stop() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
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
