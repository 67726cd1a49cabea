// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

const (
	// stormPort tells the storm from all else on the machine: most tracers hear of every namespace.
	stormPort = 7411
	// knockPort is where nobody listens.
	knockPort = 7410
	// silence is for how long a tracer's output has to stay as it is until there is no more to come.
	silence = time.Second
)

// witness is a way to listen to a storm.
type witness struct {
	name string
	args []string
	// event is in each line that tells of the storm, and in no other; empty for what prints no events.
	event string
	// knock is in a line that tells of a connection to knockPort, for a tracer that does not say when it begins.
	knock string
	// frames come for ever; the others fall silent.
	frames bool
	ours   bool
	// lives: it tells of what happens to connections and not of each change of state.
	lives bool
}

func (b *bench) witnesses() []witness {
	const probe = `tracepoint:sock:inet_sock_set_state { printf("%s %d %d %d %d %d\n", comm, pid, args->sport, args->dport, args->oldstate, args->newstate); }`
	return []witness{
		{name: "untraced"},
		{name: "netlive trace --json", args: []string{b.netlive, "trace", "--json"}, event: `"cookie":`, ours: true, lives: true},
		{name: "netlive trace --event state --json", args: []string{b.netlive, "trace", "--event", "state", "--json"}, event: `"event":"state"`, ours: true},
		{name: "netlive trace --event state", args: []string{b.netlive, "trace", "--event", "state"}, event: fmt.Sprintf(":%d ", stormPort), ours: true},
		{name: "netlive trace -6 --event state --json", args: []string{b.netlive, "trace", "-6", "--event", "state", "--json"}, ours: true},
		{name: "netlive watch -tan --json", args: []string{b.netlive, "watch", "-tan", "--json", "--interval", "1s"}, frames: true, ours: true},
		{name: "tcpstates", args: []string{"tcpstates"}, event: fmt.Sprintf(" %d ", stormPort), knock: fmt.Sprintf(" %d ", knockPort)},
		{name: "bpftrace", args: []string{"bpftrace", "-B", "full", "-e", probe}, event: fmt.Sprintf(" %d ", stormPort), knock: fmt.Sprintf(" %d ", knockPort)},
	}
}

// figures is what the rounds with a tracer gave.
type figures struct {
	storm, ratio       spread
	seen, lost, silent spread // silent are neither seen nor told to be lost
	cpu, each          spread // seconds; microseconds an event
	peak               spread // MB
}

// storms makes connections as fast as they can be made, with and without tracers.
func (b *bench) storms(t *testing.T) {
	b.printf("\n## Storm\n\n%s connections over loopback by %d threads as fast as they go, six changes of state each; output to a file in memory.\n", thousands(b.made), stormWorkers())
	b.printf("CPU is the tracer's own from the storm's begin on. tcpstates and bpftrace hear of all namespaces: what they tell to be lost may be of others.\n\n")
	b.printf("| tracer | storm s | of the untraced one's | events seen | told to be lost | neither | CPU s | us an event | peak MB |\n|---|---|---|---|---|---|---|---|---|\n")
	witnesses := b.witnesses()
	all := make([]figures, len(witnesses))
	happened := 0
	for range b.rounds {
		for i, w := range witnesses {
			o := &all[i]
			happened = b.traced(t, w, o)
			last := len(o.storm) - 1
			o.ratio = append(o.ratio, o.storm[last]/all[0].storm[last])
		}
	}
	for i, w := range witnesses {
		o := &all[i]
		b.printf("| `%s` | %s | %v | %v | %v | %v | %s | %s | %s |\n", w.name, o.storm.value(), o.ratio, o.seen, o.lost, o.silent,
			o.cpu.value(), o.each.value(), o.peak.value())
		t.Logf("%s: %v s, %v of the untraced, seen %v, lost %v, neither %v", w.name, o.storm, o.ratio, o.seen, o.lost, o.silent)
	}
	b.printf("\n%s events happened in each storm.\n", thousands(happened))
}

func stormWorkers() int { return min(2, runtime.NumCPU()) }

// traced runs a storm beside a tracer and returns how many events happened.
func (b *bench) traced(t *testing.T, w witness, o *figures) (happened int) {
	t.Helper()
	ns := kerneltest.NetNS(t)
	if w.args == nil {
		elapsed, happened := b.blow(t, ns)
		o.storm = append(o.storm, elapsed)
		return happened
	}
	r := b.startTracer(t, ns, w)
	before := cpuTime(t, r.cmd.Process.Pid)
	elapsed, changes := b.blow(t, ns)
	if happened = changes; w.lives {
		// Opened, accepted, closed at both ends; each worker listens.
		happened = 4*(changes-2*stormWorkers())/6 + stormWorkers()
	}
	r.settle()
	cpu := (cpuTime(t, r.cmd.Process.Pid) - before).Seconds()
	peak := float64(kilobytes(t, fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid), "VmHWM")) / 1024
	r.interrupt()
	seen, lost := r.count()

	told := seen
	if w.event == "" {
		told = happened - lost
	} else {
		o.seen = append(o.seen, float64(seen))
		o.silent = append(o.silent, float64(happened-seen-lost))
	}
	if w.ours && told+lost != happened {
		t.Errorf("%s: %d events seen, %d told to be lost, %d happened", w.name, seen, lost, happened)
	}
	o.storm, o.lost = append(o.storm, elapsed), append(o.lost, float64(lost))
	o.cpu, o.peak, o.each = append(o.cpu, cpu), append(o.peak, peak), append(o.each, 1e6*cpu/float64(told))
	return changes
}

// blow makes a storm; it returns its own time, and how many events it made: six a connection, and two a listener.
func (b *bench) blow(t *testing.T, ns *kerneltest.NS) (seconds float64, happened int) {
	t.Helper()
	workers := stormWorkers()
	storm := startStorm(t, ns, kerneltest.Storm{Connections: b.made / workers, Workers: workers, Port: stormPort})
	r := storm.report()
	if err := storm.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := storm.wait(); code != 0 {
		t.Fatalf("storm: %d %s", code, errs)
	}
	return r.Elapsed.Seconds(), 6*r.Made + 2*workers
}

// recorder is a witness under way.
type recorder struct {
	t         *testing.T
	witness   witness
	cmd       *exec.Cmd
	out, errs string // files
}

// startTracer returns when the tracer hears what happens.
func (b *bench) startTracer(t *testing.T, ns *kerneltest.NS, w witness) *recorder {
	t.Helper()
	r := &recorder{t: t, witness: w, cmd: exec.Command(w.args[0], w.args[1:]...), out: filepath.Join(b.scratch, "out"), errs: filepath.Join(b.scratch, "errs")}
	out, err := os.Create(r.out)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	errs, err := os.Create(r.errs)
	if err != nil {
		t.Fatal(err)
	}
	defer errs.Close()
	r.cmd.Stdout, r.cmd.Stderr = out, errs
	if err := ns.Start(r.cmd); err != nil {
		t.Fatalf("%s: %v", w.name, err)
	}
	t.Cleanup(r.kill)
	for deadline := time.Now().Add(limit); !r.hears(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s never began: %s", w.name, r.read(r.errs))
		}
		if w.knock != "" {
			ns.Do(func() { knock(t) })
		}
	}
	return r
}

func (r *recorder) hears() bool {
	switch {
	case r.witness.knock != "":
		return bytes.Contains(r.read(r.out), []byte(r.witness.knock))
	case r.witness.frames:
		return r.size() > 0
	}
	return bytes.Contains(r.read(r.errs), []byte("tracing"))
}

// knock makes a connection that is refused, in the calling thread's namespace: two events.
func knock(t *testing.T) {
	t.Helper()
	c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", knockPort))
	if err == nil {
		c.Close()
		t.Fatal("somebody listens where nobody should")
	}
}

func (r *recorder) read(path string) []byte {
	r.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	return text
}

func (r *recorder) size() int64 {
	r.t.Helper()
	info, err := os.Stat(r.out)
	if err != nil {
		r.t.Fatal(err)
	}
	return info.Size()
}

// settle waits until the tracer has no more to say; one that draws frames has then drawn two of all that happened.
func (r *recorder) settle() {
	r.t.Helper()
	if r.witness.frames {
		time.Sleep(2*time.Second + silence)
		return
	}
	last, since := r.size(), time.Now()
	for deadline := since.Add(limit); time.Since(since) < silence; time.Sleep(10 * time.Millisecond) {
		if n := r.size(); n != last {
			last, since = n, time.Now()
		}
		if time.Now().After(deadline) {
			r.t.Logf("%s: its output goes on growing", r.witness.name) // of other namespaces
			return
		}
	}
}

// interrupt ends the tracer, which writes what it has kept.
func (r *recorder) interrupt() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(unix.SIGINT); err != nil {
		r.t.Fatal(err)
	}
	hung := time.AfterFunc(limit, r.kill)
	_ = r.cmd.Wait() // each has an exit code of its own for that
	if !hung.Stop() {
		r.t.Errorf("%s did not end in %v", r.witness.name, limit)
	}
	if code := r.cmd.ProcessState.ExitCode(); r.witness.ours && code != exitInterrupted {
		r.t.Errorf("%s: exit code %d\n%s", r.witness.name, code, r.read(r.errs))
	}
}

func (r *recorder) kill() {
	_ = r.cmd.Process.Kill() // it may have ended
}

var (
	toldLost = regexp.MustCompile(`[Ll]ost (\d+) events|^\*\*\* (\d+) events lost|"event":"lost","count":(\d+)`)
	everLost = regexp.MustCompile(`"lost":(\d+)`)
)

// count reads what the tracer wrote: the storm's events, and how many it says it has lost.
func (r *recorder) count() (seen, lost int) {
	r.t.Helper()
	for _, path := range []string{r.out, r.errs} {
		f, err := os.Open(path)
		if err != nil {
			r.t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 256<<20) // a frame is a line
		for lines.Scan() {
			line := lines.Bytes()
			switch {
			case r.witness.frames: // which count from the beginning
				if m := everLost.FindSubmatch(line); m != nil {
					lost = r.sum(m)
				}
			case r.witness.event != "" && bytes.Contains(line, []byte(r.witness.event)):
				seen++
			case bytes.Contains(line, []byte("ost")): // quicker than the expression
				if m := toldLost.FindSubmatch(line); m != nil {
					lost += r.sum(m)
				}
			}
		}
		if err := lines.Err(); err != nil {
			r.t.Fatalf("%s: %v", r.witness.name, err)
		}
	}
	return seen, lost
}

// sum is the one of the alternatives that matched.
func (r *recorder) sum(match [][]byte) (n int) {
	r.t.Helper()
	for _, text := range match[1:] {
		if len(text) == 0 {
			continue
		}
		m, err := strconv.Atoi(string(text))
		if err != nil {
			r.t.Fatal(err)
		}
		n += m
	}
	return n
}
