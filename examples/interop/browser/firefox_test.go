package browser_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.com/wsecho/examples/interop/internal/program"
)

// firefox is driven by WebDriver BiDi, which it speaks itself.
type firefox struct {
	*session
	touch bool
	tab   string
}

// firefoxPreferences make Firefox connect only to the servers of the tests, which have no names,
// and start without pages of its own.
var firefoxPreferences = map[string]any{
	"network.dns.disabled":                         true,
	"network.proxy.type":                           0,
	"app.normandy.enabled":                         false,
	"app.update.disabledForTesting":                true,
	"browser.shell.checkDefaultBrowser":            false,
	"browser.startup.homepage_override.mstone":     "ignore",
	"browser.startup.page":                         0,
	"datareporting.policy.dataSubmissionEnabled":   false,
	"network.captive-portal-service.enabled":       false,
	"network.connectivity-service.enabled":         false,
	"services.settings.server":                     "",
	"toolkit.telemetry.reportingpolicy.firstRun":   false,
	"browser.safebrowsing.malware.enabled":         false,
	"browser.safebrowsing.phishing.enabled":        false,
	"extensions.systemAddon.update.enabled":        false,
	"browser.newtabpage.activity-stream.feeds.all": false,
}

// touchPreferences give Firefox the touch screen of a phone and no mouse. Bit 0 is a coarse
// pointer.
var touchPreferences = map[string]any{
	"dom.w3c_touch_events.enabled":  1,
	"ui.useOverlayScrollbars":       1,
	"ui.primaryPointerCapabilities": 1,
	"ui.allPointerCapabilities":     1,
}

func startFirefox(t *testing.T, touch bool, report func(problem string)) browser {
	t.Helper()
	path := program.Find(t, "firefox-esr", "firefox-esr")
	home := t.TempDir()
	profile := firefoxProfile(t, home, touch)
	// It announces its endpoint on standard error.
	cmd := exec.Command("sh", "-c", `exec "$0" "$@" 2>&1`, path, "--headless", "--no-remote",
		"--profile", profile, "--remote-debugging-port", "0", "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME=", "XDG_CACHE_HOME=",
		"MOZ_CRASHREPORTER_DISABLE=1")
	process := program.Start(t, cmd)
	s, err := newSession(bidiEndpoint(t, process)+"/session",
		func(method string, params json.RawMessage) {
			if problem := firefoxProblem(method, params); problem != "" {
				report(problem)
			}
		})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopFirefox(t, s, process, home) })
	f := &firefox{session: s, touch: touch}
	if err := f.open(); err != nil {
		t.Fatal(err)
	}
	return f
}

func firefoxProfile(t *testing.T, home string, touch bool) string {
	t.Helper()
	preferences := maps.Clone(firefoxPreferences)
	if touch {
		maps.Copy(preferences, touchPreferences)
	}
	var file strings.Builder
	for name, value := range preferences {
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&file, "user_pref(%q, %s);\n", name, encoded)
	}
	profile := filepath.Join(home, "profile")
	if err := os.Mkdir(profile, 0o700); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(profile, "user.js")
	if err := os.WriteFile(name, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return profile
}

func bidiEndpoint(t *testing.T, process *program.Process) string {
	t.Helper()
	for {
		line, ok := process.Line()
		if !ok {
			t.Fatal("Firefox ended before it had an endpoint")
		}
		if endpoint, ok := strings.CutPrefix(line, "WebDriver BiDi listening on "); ok {
			return endpoint
		}
	}
}

func (f *firefox) open() error {
	var ignored any
	insecure := object{"alwaysMatch": object{"acceptInsecureCerts": true}} // for the app's -tls
	if err := f.call("session.new", object{"capabilities": insecure}, &ignored); err != nil {
		return err
	}
	events := []string{"log.entryAdded", "network.fetchError", "network.responseCompleted"}
	if err := f.call("session.subscribe", object{"events": events}, &ignored); err != nil {
		return err
	}
	// In the tab that it starts with, the address bar has the focus.
	var created struct{ Context string }
	if err := f.call("browsingContext.create", object{"type": "tab"}, &created); err != nil {
		return err
	}
	f.tab = created.Context
	return f.do("browsingContext.activate", object{})
}

func stopFirefox(t *testing.T, s *session, process *program.Process, home string) {
	t.Helper()
	var ignored any
	if err := s.call("browser.close", object{}, &ignored); err != nil {
		t.Errorf("closing Firefox: %v", err)
	}
	process.Wait()
	_ = s.ws.Close()
	<-s.ended
	wantEnd(t, home)
}

// firefoxProblem returns what the developer tools show as an error, if the event is one.
func firefoxProblem(method string, params json.RawMessage) string {
	var p struct {
		Level, Text, ErrorText string
		Request                struct{ URL string }
		Response               struct{ Status int }
	}
	if err := json.Unmarshal(params, &p); err != nil {
		return err.Error()
	}
	switch {
	case method == "log.entryAdded" && p.Level == "error":
		return p.Text
	case method == "network.fetchError":
		return fmt.Sprintf("%s: %s", p.Request.URL, p.ErrorText)
	case method == "network.responseCompleted" && p.Response.Status >= 400:
		return fmt.Sprintf("%s: status %d", p.Request.URL, p.Response.Status)
	}
	return ""
}

// do calls a method for the tab whose result does not matter.
func (f *firefox) do(method string, params object) error {
	params["context"] = f.tab
	var ignored any
	return f.call(method, params, &ignored)
}

func (f *firefox) resize(width, height int) error {
	params := object{"viewport": object{"width": width, "height": height}}
	if f.touch {
		params["devicePixelRatio"] = 2
	}
	return f.do("browsingContext.setViewport", params)
}

func (f *firefox) navigate(url string) error {
	return f.do("browsingContext.navigate", object{"url": url, "wait": "complete"})
}

func (f *firefox) evaluate(expression string) (string, error) {
	var evaluated struct {
		Result           struct{ Type, Value string }
		ExceptionDetails struct{ Text string }
	}
	err := f.call("script.evaluate", object{
		"expression": expression, "awaitPromise": true, "target": object{"context": f.tab},
	}, &evaluated)
	if text := evaluated.ExceptionDetails.Text; err == nil && text != "" {
		err = errors.New(text)
	}
	return evaluated.Result.Value, err
}

func (f *firefox) press(x, y float64) error {
	pointer := "mouse"
	if f.touch {
		pointer = "touch"
	}
	return f.do("input.performActions", object{"actions": []object{{
		"type": "pointer", "id": "pointer", "parameters": object{"pointerType": pointer},
		"actions": []object{
			{"type": "pointerMove", "x": int(x), "y": int(y)},
			{"type": "pointerDown", "button": 0},
			{"type": "pointerUp", "button": 0},
		},
	}}})
}

// key sends the code points that WebDriver has for keys:
// https://www.w3.org/TR/webdriver2/#keyboard-actions.
func (f *firefox) key(k key, shift bool) error {
	const shiftKey = "\ue008"
	value := []string{tab: "\ue004", enter: "\ue006", space: " "}[k]
	actions := []object{{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}}
	if shift {
		actions = []object{
			{"type": "keyDown", "value": shiftKey},
			actions[0], actions[1],
			{"type": "keyUp", "value": shiftKey},
		}
	}
	return f.do("input.performActions", object{"actions": []object{
		{"type": "key", "id": "keyboard", "actions": actions},
	}})
}

func (f *firefox) choose(selector, file string) error {
	var found struct{ Nodes []struct{ SharedID string } }
	locator := object{"type": "css", "value": selector}
	err := f.call("browsingContext.locateNodes",
		object{"context": f.tab, "locator": locator}, &found)
	if err != nil {
		return err
	}
	if len(found.Nodes) == 0 {
		return fmt.Errorf("no element %s", selector)
	}
	element := object{"sharedId": found.Nodes[0].SharedID}
	return f.do("input.setFiles", object{"element": element, "files": []string{file}})
}

func (f *firefox) screenshot() ([]byte, error) {
	var image struct{ Data string }
	err := f.call("browsingContext.captureScreenshot",
		object{"context": f.tab, "origin": "document"}, &image)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(image.Data)
}
