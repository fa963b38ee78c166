//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine describes this machine in one line.
func machine() string {
	model := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		model = cpuModel(string(info), model)
	}
	kernel := "Linux"
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel += " " + strings.TrimSpace(string(release))
	}
	cores := "cores"
	if runtime.NumCPU() == 1 {
		cores = "core"
	}
	return fmt.Sprintf("%s, %d %s, %s, %s", model, runtime.NumCPU(), cores, kernel, runtime.Version())
}

// cpuModel returns the model name in /proc/cpuinfo, which some architectures omit, or otherwise.
func cpuModel(info, otherwise string) string {
	for line := range strings.Lines(info) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return otherwise
}
