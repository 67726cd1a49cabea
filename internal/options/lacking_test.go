// SPDX-License-Identifier: GPL-2.0-or-later

package options

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"netlive/internal/sock"
)

func TestLacking(t *testing.T) {
	const (
		all   = "tcp udp udplite raw unix"
		every = "AF INET (tcp)|AF INET (sctp)|AF INET (udp)|AF INET (udplite)|AF INET (raw)|AF UNIX|" + others
	)
	for _, test := range []struct {
		files, line string
		want        string // names, parted by |
		end         sock.Proto
	}{
		{"", "", "", 0},
		{"", "-v", every, 0},
		{all, "-v", "AF INET (sctp)|" + others, 0},
		{all, "-vx", "", 0},
		{all, "-vtx", "", 0},
		{"", "-t", "AF INET (tcp)", sock.TCP},
		{"tcp", "-uta", "AF INET (udp)", sock.UDP},
		{"tcp udp raw", "-tuUw", "AF INET (udplite)", sock.UDPLite},
		{"tcp udp udplite unix", "-tvw", "AF INET (raw)", sock.Raw},
		{"tcp", "-tx", "AF UNIX", sock.Unix},
		{"", "-4", "", 0}, // nobody named a protocol
		{"", "-4v", "", 0},
		{"", "-6x", "", 0},
		{"", "-t6", "", 0}, // the first file of the pair alone is missed
		{"", "-t64", "AF INET (tcp)", sock.TCP},
	} {
		t.Run(strings.Join([]string{test.line, "with", test.files}, " "), func(t *testing.T) {
			var want []string
			for name := range strings.SplitSeq(test.want, "|") {
				if name != "" {
					want = append(want, "netstat: no support for `"+name+"' on this system.")
				}
			}
			files := strings.Fields(test.files)
			o := parse(t, Netstat, test.line)
			lines, end := o.Lacking(func(file string) bool { return slices.Contains(files, file) })
			if !slices.Equal(lines, want) || end != test.end {
				t.Errorf("%v before %q, want %v before %q", lines, end, want, test.end)
			}
			code := 0
			if end != sock.ProtoNone {
				code = 1
			}
			if errs, exit := netstatWith(t, files, strings.Fields(test.line)); errs != strings.Join(append(lines, ""), "\n") || exit != code {
				t.Errorf("netstat ends with %d and says\n%s", exit, errs)
			}
		})
	}
}

const others = "AF IPX|AF AX25|AF X25|AF NETROM|AF ROSE"

// netstatWith runs netstat where /proc/net has nothing but files, in a mount namespace of its own, and returns what it
// says on stderr and its exit code. Without root it cannot, and the test holds to the table alone.
func netstatWith(t *testing.T, files, args []string) (errs string, code int) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for a /proc of its own")
	}
	proc := t.TempDir()
	if err := os.Mkdir(filepath.Join(proc, "net"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(proc, "net", f), []byte("Inode\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("sh", append([]string{"-c", `mount --bind "$1" /proc && shift && exec netstat "$@"`, "sh", proc}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	_ = cmd.Run() // the exit code is compared
	return stderr.String(), cmd.ProcessState.ExitCode()
}
