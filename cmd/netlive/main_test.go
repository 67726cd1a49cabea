// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// The commands that tests and scripts run as processes of their own: the real main, and the referee's programs.
func TestMain(m *testing.M) {
	testscript.Main(suite{m}, map[string]func(){
		"netlive": main,
		"netlive-as-netstat": func() {
			os.Args[0] = "netstat"
			main()
		},
		"netlive-with-all": func() { // privileges that it was given
			os.Exit(run(os.Args, streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Environ()}))
		},
		"netlive-without-room": func() { // for what rtnetlink announces
			os.Exit(run(os.Args, streams{out: os.Stdout, err: os.Stderr, newsBuffer: 1}))
		},
		"storm":   mainStorm,
		"sockets": mainSockets,
		"referee": mainReferee,
		"tenant":  mainTenant,
		"crowd":   mainCrowd,

		"listener":    mainListener,
		"without-bpf": mainWithoutBPF,
	})
}

// mainStorm runs the storm that its argument describes as JSON.
func mainStorm() {
	var s kerneltest.Storm
	err := json.Unmarshal([]byte(os.Args[1]), &s)
	if err == nil {
		err = s.Run(os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			// The program where anybody may run it: as nobody a test's own directories are closed.
			path, err := publicCopy(t, "netlive")
			env.Setenv("NETLIVE", path)
			return err
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

// publicCopy copies a command of TestMain's to where every user can run it.
func publicCopy(t *testing.T, name string) (string, error) {
	from, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "netlive")
	if err != nil {
		return "", err
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	text, err := os.ReadFile(from)
	if err != nil {
		return "", err
	}
	to := filepath.Join(dir, name)
	return to, errors.Join(os.WriteFile(to, text, 0o755), os.Chmod(to, 0o755), os.Chmod(dir, 0o755))
}

// process is a command that runs in a namespace beside the test.
type process struct {
	*exec.Cmd
	t     *testing.T
	stdin io.WriteCloser
	out   *bufio.Reader
	// stderr is read line by line; what was not is kept for messages.
	err    *bufio.Reader
	waited bool
	hung   *time.Timer // kills it after limit
	// reported is what a storm said when it was frozen.
	reported kerneltest.StormReport
}

// limit bounds the wait for anything in these tests: they wait for conditions, never for time to pass.
const limit = 2 * time.Minute

// start starts a command in ns; it is killed at the end of the test if it still runs.
func start(t *testing.T, ns *kerneltest.NS, name string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(name, args...), t: t}
	var err error
	if p.stdin, err = p.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out, p.err = bufio.NewReaderSize(stdout, 1<<20), bufio.NewReader(stderr)
	if err := ns.Start(p.Cmd); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	p.hung = time.AfterFunc(limit, func() {
		t.Errorf("%s did not end in %v; it is at\n%s", name, limit, kerneltest.Where(p.Process.Pid))
		_ = p.Process.Kill()
	})
	t.Cleanup(func() {
		p.hung.Stop()
		if !p.waited {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
	})
	return p
}

// awaitErr reads stderr up to a line that contains text.
func (p *process) awaitErr(text string) {
	p.t.Helper()
	var seen strings.Builder
	for {
		line, err := p.err.ReadString('\n')
		seen.WriteString(line)
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			p.t.Fatalf("%s: no %q on stderr: %q", p.Path, text, seen.String())
		}
	}
}

// end sends sig and returns the exit code, with the rest of stdout and stderr.
func (p *process) end(sig unix.Signal) (code int, out, errs []byte) {
	p.t.Helper()
	if err := p.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
	return p.wait()
}

// wait returns the exit code, with the rest of stdout and stderr.
func (p *process) wait() (code int, out, errs []byte) {
	p.t.Helper()
	var buf bytes.Buffer
	done := make(chan struct{})
	go func() {
		_, _ = buf.ReadFrom(p.err)
		close(done)
	}()
	out, err := io.ReadAll(p.out)
	if err != nil {
		p.t.Fatal(err)
	}
	<-done
	p.hung.Stop()
	_ = p.Wait() // its exit code is what the caller looks at
	p.waited = true
	return p.ProcessState.ExitCode(), out, buf.Bytes()
}

// run runs a command in ns to its end and returns stdout; any other exit code than 0 fails the test.
func runIn(t *testing.T, ns *kerneltest.NS, name string, args ...string) []byte {
	t.Helper()
	p := start(t, ns, name, args...)
	if err := p.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	slow := time.AfterFunc(limit/12, func() { t.Logf("%s takes long; it is at\n%s", name, kerneltest.Where(p.Process.Pid)) })
	defer slow.Stop()
	code, out, errs := p.wait()
	if code != 0 {
		t.Fatalf("%s %s: exit code %d\n%s", name, strings.Join(args, " "), code, errs)
	}
	return out
}

// startStorm starts a storm in ns.
func startStorm(t *testing.T, ns *kerneltest.NS, s kerneltest.Storm) *process {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, ns, "storm", string(text))
}

// report reads what a storm says it did.
func (p *process) report() (r kerneltest.StormReport) {
	p.t.Helper()
	if err := json.NewDecoder(p.out).Decode(&r); err != nil {
		p.t.Fatalf("read the storm's report: %v", err)
	}
	return r
}

// freeze stops a storm and reads what it says; its sockets stay as they are until it ends.
func (p *process) freeze() kerneltest.StormReport {
	p.t.Helper()
	if _, err := p.stdin.Write([]byte("\n")); err != nil {
		p.t.Fatal(err)
	}
	return p.report()
}
