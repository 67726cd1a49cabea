// SPDX-License-Identifier: GPL-2.0-or-later

package netns

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"

	"netlive/internal/kerneltest"
)

// firstEnv has a child of the tests enter the namespace of that process from its first thread, on which kerneltest lets nothing run otherwise.
const firstEnv = "NETNS_FIRST_THREAD"

func TestMain(m *testing.M) {
	word := os.Getenv(firstEnv)
	if word == "" {
		os.Exit(m.Run())
	}
	runtime.UnlockOSThread()
	before, _ := os.Readlink("/proc/self/ns/net")
	s, err := Find(word)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for range 100 {
		if err := s.Do(func() error { return nil }); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		// The process is where its first thread is, and so are all who look it up by its number.
		if now, _ := os.Readlink("/proc/self/ns/net"); now != before {
			fmt.Printf("was in %s, is in %s\n", before, now)
			os.Exit(1)
		}
	}
	os.Exit(0)
}

// The process itself goes nowhere: a namespace in which its first thread stayed would live as long as it.
func TestDoFromTheFirstThread(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	cmd, _ := tenant(t, ns, "cat")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		child := exec.Command(self)
		child.Env = append(os.Environ(), firstEnv+"="+strconv.Itoa(cmd.Process.Pid))
		if out, err := child.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
}
