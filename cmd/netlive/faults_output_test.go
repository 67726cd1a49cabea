// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// everyVerb are command lines that end by themselves.
var everyVerb = []string{
	"netlive -tanp", "netlive -i", "netlive -tan --json", "netlive watch -tan --count 2 --interval 50ms", "netlive watch -i --count 2 --interval 50ms",
	"netlive trace --for 10ms", "netlive doctor", "netlive man", "netlive help json",
}

// shell runs a line of bash in ns to its end.
func shell(t *testing.T, ns *kerneltest.NS, line string) (code int, out, errs string) {
	t.Helper()
	p := start(t, ns, "bash", "-c", line)
	if err := p.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	code, o, e := p.wait()
	return code, string(o), string(e)
}

// What cannot be written is said in one line and ends with a code; streams that are closed are nobody's.
func TestOutputThatFails(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	for _, line := range everyVerb {
		code, _, errs := shell(t, ns, "exec "+line+" >/dev/full")
		last := strings.TrimSuffix(errs[strings.LastIndexByte(strings.TrimSuffix(errs, "\n"), '\n')+1:], "\n")
		if code != exitFailure || last != "netlive: write /dev/stdout: no space left on device" {
			t.Errorf("%s: to a full device: exit code %d, stderr %q", line, code, errs)
		}
		if line == "netlive doctor" { // which takes a second, and whose code is the machine's
			continue
		}
		for _, how := range []string{"<&- >&- 2>&-", "2>/dev/full"} {
			if code, _, errs := shell(t, ns, "exec "+line+" "+how); code != exitOK || strings.Contains(errs, "goroutine") {
				t.Errorf("%s %s: exit code %d; stderr %q", line, how, code, errs)
			}
		}
	}
}

// Who has nothing to say hears too that nobody listens any more.
func TestReaderGoes(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	for _, line := range []string{"trace --json", "watch -tan --interval 1h", "watch -rn --interval 1h", "watch -s --interval 1h"} {
		p := start(t, ns, "bash", "-c", "set -o pipefail; netlive "+line+" | head -n 1")
		if code, out, errs := p.wait(); code != exitOK || strings.Count(string(out), "\n") != 1 || strings.Contains(strings.TrimPrefix(string(errs), "netlive: tracing"), "netlive:") {
			t.Errorf("%s: exit code %d, %q, stderr %q", line, code, out, errs)
		}
	}
}

// Who reads no more keeps neither a verb from ending nor its programs in the kernel; who only paused is told of all that happened, or of how much was lost.
func TestReaderStops(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	const connections = 3000
	const happened = 6*connections + 2
	for _, ends := range []bool{true, false} {
		ns := kerneltest.NetNS(t)
		trace := start(t, ns, "netlive", "trace", "--json", "--event", "state", "--ring", "64K")
		trace.awaitBegin()
		held := heldBy(t, trace.Process.Pid)
		storm := startStorm(t, ns, kerneltest.Storm{Connections: connections, Workers: 1})
		storm.report()
		trace.fillsPipe()
		if ends {
			if err := trace.Process.Signal(unix.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := unix.Waitid(unix.P_PID, trace.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
				t.Fatal(err)
			}
			if code, _, errs := trace.wait(); code != exitOK || len(errs) > 0 {
				t.Errorf("exit code %d, stderr %q", code, errs)
			}
			held.gone(t)
			continue
		}
		_ = storm.stdin.Close()
		storm.wait()
		told, lost := 0, 0
		for told+lost < happened {
			line, err := trace.out.ReadBytes('\n')
			if err != nil {
				t.Fatal(err)
			}
			var e eventJSON
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			switch e.Event {
			case "lost":
				lost += e.Count
			case "state":
				told++
			}
		}
		if told+lost != happened || lost == 0 {
			t.Errorf("%d told, %d lost of %d", told, lost, happened)
		}
		trace.interrupt()
	}
}

// A verb that writes much and is read slowly, or not at all, is ended by a signal: of its output, which is more than a pipe takes, the begin was read.
func TestBlockedWriteEnds(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	var verbs []*exec.Cmd
	for _, line := range []string{"man", "doctor"} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		// A pipe of one page, so that it does not fit.
		if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize()); err != nil {
			t.Fatal(err)
		}
		p := commandTo(w, line)
		if err := ns.Start(p); err != nil {
			t.Fatal(err)
		}
		verbs = append(verbs, p)
		w.Close()
		for full := 0; full < os.Getpagesize(); time.Sleep(time.Millisecond) {
			if full, err = unix.IoctlGetInt(int(r.Fd()), unix.TIOCINQ); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Process.Signal(unix.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range verbs {
		if _ = p.Wait(); p.ProcessState.ExitCode() != exitInterrupted {
			t.Errorf("%v: exit code %d", p.Args, p.ProcessState.ExitCode())
		}
	}
}

// commandTo is netlive with its output going to w.
func commandTo(w *os.File, line string) *exec.Cmd {
	cmd := exec.Command("netlive", strings.Fields(line)...)
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	return cmd
}

// A stdout that does not block, as Node and ssh leave it, gets all the same bytes.
func TestOutputThatDoesNotBlock(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	want := runIn(t, ns, "netlive", "man")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := unix.SetNonblock(int(w.Fd()), true); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize()); err != nil {
		t.Fatal(err)
	}
	cmd := commandTo(w, "man")
	if err := ns.Start(cmd); err != nil {
		t.Fatal(err)
	}
	w.Close()
	var got bytes.Buffer
	for buf := make([]byte, 1000); ; { // slower than it writes
		n, err := r.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%v: %d bytes, want %d", err, got.Len(), len(want))
	}
}
